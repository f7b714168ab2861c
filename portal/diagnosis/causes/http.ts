import { between, causes, type ErrorText } from "./entry.ts"
import { skewOf } from "./skew.ts"

const status = (...codes: readonly number[]): readonly ErrorText[] =>
  codes.map((code) => ({ has: [`server returned HTTP status ${code}`] }))

/** Of all 4xx, for example. */
const statuses = (first: number): readonly ErrorText[] => [{ has: [`server returned HTTP status ${first}`] }]

/** Statuses and what is wrong with HTTP itself. Prometheus' text never holds the body: our proxy's own words are the probe's. */
export const HTTP = causes({
  unauthorized: {
    title: "credentials refused",
    sentence: "The site does not accept the portal's credentials (401)[: {detail}].",
    todo: "If the token expired or is not valid yet, compare the clocks[: the site's is {off}]. Otherwise give the site's admin the hash of the token in use (fedstack token hash), or check issuer and audience of their jwt entry.",
    todoAtSite:
      "If the token expired or is not valid yet, compare the clocks[: the site's is {off}]. Otherwise compare its hash (fedstack token hash) with your policy, or its issuer and audience (fedstack token inspect) with your jwt entry.",
    stage: "token",
    texts: status(401),
    derive: skewOf,
    example: { detail: "the token expired 9 minutes ago", skew: "660" },
  },
  forbidden: {
    title: "selector not shared",
    sentence: "The site does not share {selector|what is requested} with this portal (403).[ It shares {allowed}.]",
    todo: "Remove the selector from match in sites.yaml[, line {line}], or ask the site's admin to allow it. For http:// through a forward proxy, the proxy itself may have refused.",
    todoAtSite:
      "Allow the selector in your policy, or agree on others with the portal's operator; fedstack check policy explains what a client may read.",
    stage: "selectors",
    texts: status(403),
    example: { selector: 'up{job="node"}', allowed: '{job="project_usages"}', line: "12" },
  },
  bad_request: {
    title: "request not understood",
    sentence: "The site does not understand the request ({status|400})[: {detail}].",
    todo: "Check match in sites.yaml[, line {line},] with fedstack check sites; a TLS port behind an http:// url responds like this, too.",
    todoAtSite: "Check the selectors that are requested; a TLS port behind an http:// url responds like this, too.",
    stage: "selectors",
    texts: status(400, 422),
    example: { status: "400 Bad Request", detail: "client sent an HTTP request to an HTTPS server", line: "12" },
  },
  not_found: {
    title: "no federation at this url",
    sentence: "There is no federation at {url|the site's url} ({status|404}).",
    todo: "Check path and port of url in sites.yaml[, line {line}]; /federate is added to it.",
    todoAtSite: "Check path and port of the url; /federate is added to it.",
    stage: "response",
    texts: status(404, 410),
    example: { url: "https://prometheus.site-a.example.org/federate", status: "404 Not Found", line: "12" },
  },
  wrong_server: {
    title: "another service responds",
    sentence: "What responds at {url|the site's url} is no federation proxy[ ({status})].",
    todo: "Check url in sites.yaml[, line {line}]; a login page, a load balancer or another service responds there.",
    todoAtSite: "Check the url; a login page, a load balancer or another service responds there.",
    stage: "response",
    texts: [...statuses(1), ...statuses(2), ...statuses(4), ...status(501, 505, 511), ...statuses(52), ...statuses(53)],
    example: {
      url: "https://prometheus.site-a.example.org/federate",
      status: "405 Method Not Allowed",
      line: "12",
    },
  },
  redirect: {
    title: "redirected",
    sentence:
      "The site redirects[ to {location}][ ({status})]. Redirects are not followed: the token would reach another host.",
    todo: "If the site moved, put the new address into sites.yaml[, line {line}]; a login page means that a single sign-on stands before the proxy.",
    todoAtSite:
      "If your proxy moved, give its new url to the portal's operator; a login page means that a single sign-on stands before the proxy: take /federate out of it.",
    stage: "response",
    texts: [...statuses(3), { has: ["stopped after 10 redirects"] }],
    example: { location: "https://sso.example.org/login", status: "302 Found", line: "12" },
  },
  too_large_url: {
    title: "request too long",
    sentence: "The site refuses the request as too long[ ({status})].",
    todo: "Merge the selectors of match in sites.yaml[, line {line}], or ask the site's admin to raise the limit of what stands before their proxy.",
    todoAtSite:
      "Raise the limit of what stands before your proxy, or agree on fewer selectors with the portal's operator.",
    stage: "selectors",
    texts: status(413, 414, 431),
    example: { status: "414 URI Too Long", line: "12" },
  },
  rate_limited: {
    title: "too many requests",
    sentence: "The site refuses so many requests (429)[: {limit}].[ It may be requested again in {retry_after} s.]",
    todo: "Raise interval in sites.yaml[, line {line}], or ask the site's admin to raise requests_per_second or concurrent.",
    todoAtSite:
      "Raise requests_per_second or concurrent in your policy, or agree on a longer interval with the portal's operator.",
    stage: "token",
    beyondProbe: true,
    texts: status(429),
    example: { limit: "20 a second are allowed", retry_after: "3", line: "12" },
  },
  server_error: {
    title: "site's server failed",
    sentence: "The site's server failed ({status|500})[: {detail}].",
    todo: "Ask the site's admin for the log of their proxy[ at {time}].",
    todoAtSite: "Look at the log of your proxy[ at {time}].",
    stage: "response",
    vague: true,
    beyondProbe: true,
    texts: [...status(499), ...statuses(5)],
    example: { status: "500 Internal Server Error", detail: "out of memory", time: "14:07:31 UTC" },
  },
  upstream_down: {
    title: "site's Prometheus does not respond",
    sentence: "The site's proxy works, its Prometheus does not ({status|502})[: {detail}].",
    todo: "Ask the site's admin to look at their Prometheus: it is starting, stopped or overloaded.",
    todoAtSite: "Look at your Prometheus: it is starting, stopped or overloaded.",
    stage: "response",
    beyondProbe: true,
    texts: status(502, 503, 504),
    example: { status: "502 Bad Gateway", detail: "No upstream can be reached" },
  },
  not_http: {
    title: "not HTTP",
    sentence: "What listens on {address|the site's port} does not respond with valid HTTP[ (it begins with {start})].",
    todo: "Check the port in sites.yaml[, line {line}].",
    todoAtSite: "Check the port in the url.",
    stage: "response",
    texts: [
      { has: ['malformed HTTP response "'], take: (text) => ({ start: between(text, 'HTTP response "', '"') }) },
      { has: ["transport connection broken"], take: (text) => ({ start: between(text, 'HTTP response "', '"') }) },
      { has: ["malformed HTTP "] },
      { has: ["malformed MIME header"] },
      { has: ["malformed chunked encoding"] },
      { has: ["invalid byte in chunk length"] },
      { has: ["chunk length too large"] },
      { has: ["header line too long"] },
      { has: ["response headers exceeded"] },
      { has: ["unsupported transfer encoding"] },
      { has: ["bad Content-Length"] },
      { has: ["Unsolicited response received"] },
    ],
    example: { address: "192.0.2.14:22", start: "SSH-2.0-OpenSSH_9.2", line: "12" },
  },
  http2: {
    title: "HTTP/2 fails",
    sentence: "The site's server ended the HTTP/2 stream[ ({detail})].",
    todo: "Ask the site's admin about their load balancer; HTTP/1.1 there avoids it.",
    todoAtSite: "Look at your load balancer; HTTP/1.1 there avoids it.",
    stage: "response",
    beyondProbe: true, // it speaks HTTP/1.1
    texts: [
      { has: ["stream error: "], take: (text) => ({ detail: between(text, "; ", ";") ?? between(text, "; ") }) },
      { has: ["connection error: "], take: (text) => ({ detail: between(text, "connection error: ") }) },
      { has: ["http2: "], take: (text) => ({ detail: between(text, "http2: ") }) },
    ],
    example: { detail: "INTERNAL_ERROR" },
  },
})
