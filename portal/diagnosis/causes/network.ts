import type { Details } from "../cause.ts"
import { between, causes } from "./entry.ts"

const addressIn = (text: string) => ({ address: between(text, "dial tcp ", ": ") })
const nameIn = (text: string) => {
  const looked = between(text, "lookup ", ": ") ?? ""
  const [host, resolver] = looked.split(" on ")
  return { host, resolver }
}

/** Names, addresses, connections. */
export const NETWORK = causes({
  name_not_found: {
    title: "name not found",
    sentence: "The name[ {host}] does not exist.",
    todo: "Check url in sites.yaml[, line {line}]; if it is right, ask the site's admin about its DNS.",
    todoAtSite: "Check the name in the url, and whether your DNS has an address for it.",
    atPortal: {
      sentence: "the names of the sites are not found",
      todo: "Check which name server the portal uses, and whether it knows names outside of its own network.",
    },
    stage: "name",
    texts: [
      { has: ["lookup ", ": no such host"], take: nameIn },
      { has: ["lookup ", ": no suitable address"], take: nameIn },
    ],
    example: { host: "prometheus.site-a.example.org", line: "12" },
  },
  address_not_allowed: {
    title: "address not allowed",
    sentence: "The name[ {host}] leads to {address|an address} of the portal's own machine or cloud, not of a site.",
    todo: "Ask the site's admin about its DNS[; url is in sites.yaml, line {line}]. Such addresses are requested only where url itself names one.",
    todoAtSite: "Correct the name in your DNS: it must lead to the machine of your proxy.",
    stage: "name",
    decisive: true, // what responds there is no site
    seenBy: "every address of the name is link-local, or that of a metadata service",
    example: { host: "prometheus.site-a.example.org", address: "169.254.169.254", line: "12" },
  },
  resolver_failed: {
    title: "name server fails",
    sentence: "The portal's name server[ {resolver}] gives no usable response[ for {host}].",
    todo: "If other sites show the same, it is the portal's name server; if not, the DNS zone of the site is broken: tell its admin.",
    todoAtSite: "Check your DNS zone, and the name server of the machine that requests.",
    atPortal: {
      sentence: "the name server of the portal gives no usable response",
      todo: "Check the name server in /etc/resolv.conf of the portal's machine or container.",
    },
    stage: "name",
    texts: [{ has: ["lookup "], take: nameIn }],
    example: { resolver: "127.0.0.1:53", host: "prometheus.site-a.example.org" },
  },
  no_route: {
    title: "no route",
    sentence: "There is no route from the portal to {address|the site's address}.",
    todo: "Check the portal's network and firewall, and for IPv6 whether the portal has it at all; then ask the site's admin whether the address is still theirs.",
    todoAtSite: "Check whether the address is still yours, and the network and firewall of the machine that requests.",
    atPortal: {
      sentence: "there is no route from the portal to them",
      todo: "Check network, gateway and firewall of the portal's machine, and whether it has IPv6.",
    },
    stage: "connection",
    texts: [
      { has: ["network is unreachable"], take: addressIn },
      { has: ["no route to host"], take: addressIn },
      { has: ["host is down"], take: addressIn },
      { has: ["cannot assign requested address"], take: addressIn },
      { has: ["address family not supported"], take: addressIn },
    ],
    example: { address: "[2001:db8::14]:443" },
  },
  blocked_locally: {
    title: "blocked at the portal",
    sentence: "The portal's own system forbids the connection[ to {address}].",
    todo: "Check the firewall or network policy of the portal.",
    todoAtSite: "Check the firewall or network policy of the machine that requests.",
    atPortal: {
      sentence: "the portal's own system forbids the connections",
      todo: "Check the firewall or network policy of the portal.",
    },
    stage: "connection",
    texts: [
      { has: ["connect: permission denied"], take: addressIn },
      { has: ["connect: operation not permitted"], take: addressIn },
      { has: ["socket: permission denied"], take: addressIn },
      { has: ["socket: operation not permitted"], take: addressIn },
    ],
    example: { address: "203.0.113.1:443" },
  },
  refused: {
    title: "connection refused",
    sentence: "Nothing listens on {address|the site's address}.",
    todo: "Ask the site's admin whether their proxy runs, and on which port; check the port in sites.yaml[, line {line}].",
    todoAtSite:
      "Check whether your proxy runs and listens on this address and port, or whether something before it refuses connections.",
    stage: "connection",
    texts: [
      { has: ["connection refused"], take: addressIn },
      { has: ["actively refused"], take: addressIn },
    ],
    example: { address: "192.0.2.14:443", line: "12" },
  },
  address_dead: {
    title: "an address does not respond",
    sentence: "Not every address of the site responds[: no connection to {address}].",
    todo: "Scrapes that try this address first are slow or fail: ask the site's admin to repair it, or to remove it from their DNS.",
    todoAtSite: "Requests that try this address first are slow or fail: repair it, or remove it from your DNS.",
    stage: "connection",
    seenBy: "the name has several addresses, and the probe connects to some of them only",
    delivers: true,
    example: { address: "[2001:db8::14]:443" },
  },
  no_answer: {
    title: "no response in time",
    sentence: "The site did not respond within {timeout|its timeout}[: {where}].",
    todo: "{advice|A firewall drops the connection, the site's proxy or its Prometheus hangs, or the response is too much for the line: the checklist shows which.}",
    todoAtSite:
      "{advice_at_site|Your firewall drops the connection, your proxy or its Prometheus hangs, or the response is too much for the line: the checklist shows which.}",
    atPortal: {
      sentence: "they do not respond in time",
      todo: "Check the portal's network: firewall, load of the line, packet loss.",
    },
    stage: "response",
    vague: true,
    texts: [
      { has: ["context deadline exceeded"] },
      { has: ["TLS handshake timeout"], take: () => ({ stage: "tls" }) },
      { has: ["dial tcp ", "i/o timeout"], take: (text) => ({ ...addressIn(text), stage: "connection" }) },
      { has: ["dial tcp ", "connection timed out"], take: (text) => ({ ...addressIn(text), stage: "connection" }) },
      { has: ["i/o timeout"] },
      { has: ["connection timed out"] },
      { has: ["timeout awaiting response headers"], take: () => ({ stage: "headers" }) },
      { has: ["Client.Timeout"] },
      { has: ["server returned HTTP status 408"], take: () => ({ stage: "headers" }) },
    ],
    derive: ({ stage = "" }) => (isPlace(stage) ? PLACES[stage] : stage === "" ? {} : { where: stage }),
    example: { timeout: "30 s", stage: "headers" },
  },
  hung_up: {
    title: "closed without a response",
    sentence: "The site accepted the connection and closed it without a response.",
    todo: "Check whether url is http:// where the site expects https://. If not, ask the site's admin for the log of their proxy or load balancer[ at {time}].",
    todoAtSite:
      "Check whether the url is http:// where your proxy expects https://. If not, look at the log of your proxy or load balancer[ at {time}].",
    stage: "connection",
    vague: true,
    texts: [
      { has: ["EOF"] },
      { has: ["transport connection broken: EOF"] },
      { has: ["transport connection broken: unexpected EOF"] },
      { has: ["server closed idle connection"] },
      { has: ["use of closed network connection"] },
    ],
    example: { time: "14:07:31 UTC" },
  },
  reset: {
    title: "connection reset",
    sentence: "The connection to the site was reset[ {where}].",
    todo: "Ask the site's admin for the log of their proxy or load balancer[ at {time}]; a firewall that ends connections looks the same.",
    todoAtSite:
      "Look at the log of your proxy or load balancer[ at {time}]; a firewall that ends connections looks the same.",
    stage: "connection",
    vague: true,
    texts: [
      { has: ["connection reset by peer"] },
      { has: ["broken pipe"] },
      { has: ["connection aborted"] },
      { has: ["transport connection broken", "connection reset by peer"] },
      { has: ["transport connection broken", "broken pipe"] },
    ],
    derive: ({ begun }): Details =>
      begun === undefined ? {} : { where: begun === "yes" ? WITHIN : "before its response" },
    example: { begun: "yes", time: "14:07:31 UTC" },
  },
  cut: {
    title: "response broke off",
    sentence: "The response broke off in the middle.",
    todo: "The site's proxy does so on purpose when its Prometheus fails or a limit is exceeded: its log has the reason[ at {time}] (answer_broken, answer_too_large, too_many_series).",
    todoAtSite:
      "Your proxy does so on purpose when its Prometheus fails or a limit is exceeded: its log has the reason[ at {time}] (answer_broken, answer_too_large, too_many_series).",
    stage: "response",
    vague: true,
    beyondProbe: true,
    texts: [{ has: ["unexpected EOF"] }],
    example: { time: "14:07:31 UTC" },
  },
})

const WITHIN = "in the middle of its response"

/** Where a scrape waited in vain, and what is to be done there. */
const PLACES = {
  name: {
    where: "its name could not be resolved",
    advice: "Check the portal's name server, then the DNS zone of the site.",
    advice_at_site: "Check your DNS zone, and the name server of the machine that requests.",
  },
  connection: {
    where: "no connection was established",
    advice:
      "A firewall probably drops the connection, here or at the site: ask the site's admin whether the portal's address is allowed.",
    advice_at_site:
      "A firewall probably drops the connection, at the site or before it: check whether it lets the portal's address through.",
  },
  tls: {
    where: "the TLS handshake did not end",
    advice: "Ask the site's admin whether their proxy hangs, or whether another service listens on this port.",
    advice_at_site: "Check whether your proxy hangs, or whether another service listens on this port.",
  },
  headers: {
    where: "the request was sent, but no headers came back",
    advice: "Ask the site's admin to look at the load of their Prometheus and at the log of their proxy.",
    advice_at_site: "Look at the load of your Prometheus and at the log of your proxy.",
  },
  body: {
    where: "the response began, but did not end",
    advice: "The response is too much for the line: raise timeout in sites.yaml, or request fewer series.",
    advice_at_site:
      "The response is too much for the line: share less, or agree on other selectors or a longer timeout with the portal's operator.",
  },
} as const

const isPlace = (stage: string): stage is keyof typeof PLACES => Object.hasOwn(PLACES, stage)
