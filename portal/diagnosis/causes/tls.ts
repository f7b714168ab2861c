import type { Details } from "../cause.ts"
import { moment, spanInWords } from "../words.ts"
import { between, causes } from "./entry.ts"

/** Of times as Go writes them; what is no time is left out. */
function validity(name: "not_after" | "not_before", at: string): Details {
  const date = new Date(at)
  return Number.isNaN(date.getTime()) ? {} : { [name]: moment(date) }
}

function agoOf(now: string, end: string): Details {
  const seconds = (Date.parse(now) - Date.parse(end)) / 1000
  return Number.isFinite(seconds) ? { ago: spanInWords(seconds) } : {}
}

const alertIn = (text: string) => ({ alert: between(text, "tls: ") })

/** Certificates and handshakes. `x509: …` is preceded by `tls: failed to verify certificate:` from Prometheus 2.53 on. */
export const TLS = causes({
  tls_expired: {
    title: "certificate expired",
    sentence: "The site's certificate expired[ {ago} ago][ ({not_after})].",
    todo: "Ask the site's admin to renew the certificate of their proxy.",
    todoAtSite: "Renew the certificate of your proxy.",
    stage: "tls",
    texts: [
      {
        has: ["certificate has expired or is not yet valid", " is after "],
        take: (text) => ({ now: between(text, "current time ", " is "), end: between(text, " is after ") }),
      },
      { has: ["certificate has expired or is not yet valid"] },
    ],
    derive: ({ now, end }) => ({ ...(end && validity("not_after", end)), ...(now && end && agoOf(now, end)) }),
    example: { ago: "3 days", not_after: "27 Nov 2026, 10:00:00 UTC" },
  },
  tls_not_yet: {
    title: "certificate not valid yet",
    sentence: "The site's certificate is not valid yet[, but from {not_before} on].",
    todo: "Compare the portal's clock; if it is right, ask the site's admin to use a certificate that is valid now.",
    todoAtSite: "Compare the clock of the machine that requests; if it is right, use a certificate that is valid now.",
    atPortal: {
      sentence: "their certificates are not valid yet by the portal's clock",
      todo: "Compare the clock of the portal's machine.",
    },
    stage: "tls",
    texts: [
      {
        has: ["certificate has expired or is not yet valid", " is before "],
        take: (text) => ({ begin: between(text, " is before ") }),
      },
    ],
    derive: ({ begin }) => (begin === undefined ? {} : validity("not_before", begin)),
    example: { not_before: "1 Jan 2027, 00:00:00 UTC" },
  },
  tls_unknown_ca: {
    title: "certificate authority unknown",
    sentence: "The portal does not know the authority of the site's certificate[ ({issuer})].",
    todo: "Set tls.ca_file for this site in sites.yaml[, line {line},] to the site's authority, received over a channel you trust; or ask the site's admin to serve the whole chain.",
    todoAtSite:
      "Have your proxy serve the whole chain. If the authority is your own, give its certificate to the portal's operator over a channel that both trust; fedstack doctor takes it by --ca-file.",
    atPortal: {
      sentence: "the portal does not know the authority of their certificates",
      todo: "Check the authorities of the portal's system (ca-certificates), and whether something between reads TLS.",
    },
    stage: "tls",
    texts: [
      {
        has: ["certificate signed by unknown authority"],
        take: (text) => ({ issuer: between(text, 'candidate authority certificate "', '"') }),
      },
      { has: ["failed to load system roots"] },
      { has: ["is not authorized to sign"] },
      { has: ["too many intermediates"] },
      { has: ["issuer name does not match subject"] },
      { has: ["no valid chains built"] },
      { has: ["name constraints"] },
      { has: ["x509: cannot verify signature"] },
      { has: ["x509: unhandled critical extension"] },
      { has: ["x509: "], rank: "last" },
    ],
    example: { issuer: "CN=Site A Root CA", line: "12" },
  },
  tls_wrong_name: {
    title: "certificate for another name",
    sentence: "The site's certificate is[ for {names},] not for {host|the name in url}.",
    todo: "Use a name of the certificate in url, or set tls.server_name if the site's admin confirms it; otherwise ask them for a certificate with {host|the name in url}.",
    todoAtSite: "Use a name of the certificate in the url, or a certificate with {host|the name in the url}.",
    stage: "tls",
    texts: [
      {
        has: ["certificate is valid for ", ", not "],
        take: (text) => {
          const names = between(text, "certificate is valid for ")
          const split = names?.lastIndexOf(", not ") ?? -1
          return { names: names?.slice(0, split), host: names?.slice(split + ", not ".length) }
        },
      },
      {
        has: ["cannot validate certificate for ", " because it doesn't contain any IP SANs"],
        take: (text) => ({ host: between(text, "cannot validate certificate for ", " because") }),
      },
      { has: ["certificate relies on legacy Common Name field"] },
      { has: ["certificate is not valid for any names"] },
    ],
    example: { names: "other.example.org, www.example.org", host: "prometheus.site-a.example.org" },
  },
  tls_usage: {
    title: "certificate not for servers",
    sentence: "The site's certificate is not one for servers.",
    todo: "Ask the site's admin for a certificate with the usage serverAuth.",
    todoAtSite: "Use a certificate with the usage serverAuth.",
    stage: "tls",
    texts: [
      { has: ["certificate specifies an incompatible key usage"] },
      { has: ["is not authorized for an extended key usage"] },
    ],
    example: {},
  },
  tls_to_plain: {
    title: "plain HTTP, not TLS",
    sentence: "The site speaks plain HTTP[ on {address}], while its url begins with https://.",
    todo: "Ask the site's admin to turn TLS on; http:// in sites.yaml would send the token unencrypted.",
    todoAtSite: "Turn TLS on in the web configuration of your proxy; http:// would send the token unencrypted.",
    stage: "tls",
    texts: [{ has: ["server gave HTTP response to HTTPS client"] }],
    example: { address: "192.0.2.14:443" },
  },
  tls_expected: {
    title: "TLS, not plain HTTP",
    sentence: "The site speaks TLS[ on {address}], while its url begins with http://.",
    todo: "Write https:// into url[ (sites.yaml, line {line})]: http:// sends the token unencrypted.",
    todoAtSite: "Begin the url with https://: http:// sends the token unencrypted.",
    stage: "tls",
    seenBy: "the site closes a connection without a response, and a TLS handshake on the same port succeeds",
    example: { address: "192.0.2.14:443", line: "12" },
  },
  not_tls: {
    title: "neither TLS nor HTTP",
    sentence: "What listens on {address|the site's port} speaks neither TLS nor HTTP[ (it begins with {start})].",
    todo: "Check the port in sites.yaml[, line {line}].",
    todoAtSite: "Check the port in the url.",
    stage: "tls",
    texts: [{ has: ["first record does not look like a TLS handshake"] }, { has: ["tls: oversized record"] }],
    example: { address: "192.0.2.14:22", start: "SSH-2.0-OpenSSH_9.2", line: "12" },
  },
  tls_version: {
    title: "no common TLS version",
    sentence: "Portal and site have no TLS version in common.",
    todo: "Compare tls.min_version in sites.yaml[, line {line},] with the site's web configuration.",
    todoAtSite: "Compare min_version in the web configuration of your proxy with what the portal requires.",
    stage: "tls",
    texts: [
      { has: ["tls: protocol version not supported"] },
      { has: ["server selected unsupported protocol version"] },
      { has: ["no supported versions satisfy"] },
    ],
    example: { line: "12" },
  },
  tls_client_cert: {
    title: "client certificate needed",
    sentence: "The site requires a client certificate.",
    todo: "Set tls.cert_file and tls.key_file for this site in sites.yaml[, line {line}].",
    todoAtSite:
      "Give fedstack doctor the portal's certificate by --cert-file and --key-file, or require none in the web configuration of your proxy.",
    stage: "tls",
    texts: [{ has: ["tls: certificate required"] }],
    example: { line: "12" },
  },
  tls_client_cert_refused: {
    title: "client certificate refused",
    sentence: "The site does not accept the portal's client certificate[ ({alert})], or requires one.",
    todo: "Check tls.cert_file for this site: when it ends, which authority signed it, and which name the site expects.",
    todoAtSite:
      "Check the client certificate: when it ends, whether client_ca_file in the web configuration of your proxy signed it, and which name you expect.",
    stage: "tls",
    texts: [
      "bad certificate",
      "unsupported certificate",
      "revoked certificate",
      "expired certificate",
      "unknown certificate",
      "unknown certificate authority",
      "access denied",
    ].map((alert) => ({ has: [`remote error: tls: ${alert}`], take: alertIn })),
    example: { alert: "expired certificate" },
  },
  tls_refused: {
    title: "TLS handshake failed",
    sentence: "The site ended the TLS handshake[ ({alert})].",
    todo: "Either no cipher is common, or it requires a client certificate (set tls.cert_file and tls.key_file) or another name (tls.server_name): ask the site's admin which.",
    todoAtSite:
      "Either no cipher is common, or your server requires a client certificate or another name: its log shows which.",
    stage: "tls",
    texts: [
      { has: ["remote error: tls: "], take: alertIn, rank: "last" },
      { has: ["tls: "], take: alertIn, rank: "last" },
    ],
    example: { alert: "handshake failure" },
  },
})
