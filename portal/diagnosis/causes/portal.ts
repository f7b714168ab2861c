import type { Details } from "../cause.ts"
import { between, causes } from "./entry.ts"

const OTHER_TOKEN =
  "Prometheus probably sends an earlier token: restart it, and see whether portal and Prometheus use the same folder of configuration."
const fileIn = (text: string) => ({ file: between(text, "open ", ": ") ?? between(text, "cert file ") })
const proxyIn = (text: string) => ({ reason: between(text, "proxyconnect tcp: ") })

/** What is wrong at the portal itself. */
export const PORTAL = causes({
  portal_file: {
    title: "file unreadable",
    sentence: "Prometheus cannot read {file|a file} that the portal wrote.",
    todo: "Portal and Prometheus must see the same folder, with the same group; /-/ready of the portal shows more.",
    atPortal: {
      sentence: "Prometheus cannot read files that the portal wrote",
      todo: "Portal and Prometheus must see the same folder, with the same group.",
    },
    beyondProbe: true,
    texts: [
      { has: ["unable to read "], take: fileIn },
      { has: ["unable to use "], take: fileIn },
      { has: ["unable to load specified "], take: fileIn },
      { has: ["open ", ": no such file or directory"], take: fileIn },
      { has: ["open ", ": permission denied"], take: fileIn },
    ],
    example: { file: "tokens/site-a.1f0c9a22" },
  },
  fds: {
    title: "too many open files",
    sentence: "The portal's Prometheus has no file descriptors left.",
    todo: "Raise its limit of open files (LimitNOFILE, ulimits.nofile); each site takes one or two.",
    atPortal: {
      sentence: "the portal's Prometheus has no file descriptors left",
      todo: "Raise its limit of open files (LimitNOFILE, ulimits.nofile).",
    },
    beyondProbe: true,
    texts: ["socket: ", "dial ", "lookup ", "open ", "unable to read "].map((start) => ({
      has: [start, "too many open files"],
    })),
    example: {},
  },
  not_scraped: {
    title: "not scraped",
    sentence: "Prometheus has no target for this site[: {reason}].",
    todo: 'Its log has the reason under "error creating new scrape pool": mostly a file that it cannot read.',
    beyondProbe: true,
    texts: [
      {
        has: ["error creating new scrape pool"],
        take: (text) => ({ reason: between(text, "client: ") }),
      },
      { has: ["invalid metric name escaping scheme"] },
      { has: ["invalid metric name validation scheme"] },
    ],
    seenBy: "the site is missing in `/api/v1/scrape_pools`, or has no target",
    example: { reason: "unable to read file ca.pem" },
  },
  scrape_overdue: {
    title: "no longer scraped",
    sentence: "Prometheus has not scraped this site[ since {since}], though it should every {interval|interval}.",
    todo: "Look at the log and the load of Prometheus; restart it if it does not scrape again by itself.",
    atPortal: {
      sentence: "Prometheus no longer scrapes them",
      todo: "Look at the log and the load of Prometheus; restart it if it does not scrape again by itself.",
    },
    beyondProbe: true,
    seenBy: "the target's last scrape is more than two intervals and its timeout old, or there was none for so long",
    example: { since: "30 Nov 2026, 14:07:31 UTC", interval: "30 seconds" },
  },
  forward_proxy: {
    title: "forward proxy fails",
    sentence: "The forward proxy[ {proxy}] cannot be used[: {reason}].",
    todo: "Check proxy_url in sites.yaml[, line {line}], the variables HTTP_PROXY and HTTPS_PROXY of Prometheus, and the proxy; the site itself was not reached.",
    atPortal: {
      sentence: "the forward proxy cannot be used",
      todo: "Check the forward proxy between the portal and the sites.",
    },
    stage: "connection",
    texts: [
      { has: ["proxyconnect "], take: proxyIn },
      { has: ["http_proxy variable"] },
      { has: ["socks connect "] },
      { has: ["unknown proxy scheme"] },
      ...["Bad Gateway", "Service Unavailable", "Gateway Timeout", "Gateway Time-out"].map((reason) => ({
        // Go gives the words of the status that a proxy responds to CONNECT with, and nothing else
        has: [reason],
        rank: "start" as const,
        take: () => ({ reason }),
      })),
    ],
    example: { proxy: "http://proxy.example.org:3128", reason: "connection refused", line: "12" },
  },
  forward_proxy_auth: {
    title: "forward proxy refuses",
    sentence: "The forward proxy[ {proxy}] requires credentials, or forbids this site.",
    todo: "Ask those who run the forward proxy; the site itself was not reached.",
    atPortal: {
      sentence: "the forward proxy requires credentials, or forbids these sites",
      todo: "Ask those who run the forward proxy.",
    },
    stage: "connection",
    texts: [
      { has: ["Proxy Authentication Required"] },
      { has: ["server returned HTTP status 407"] },
      { has: ["Forbidden"], rank: "start" },
    ],
    example: { proxy: "http://proxy.example.org:3128" },
  },
  portal_storage: {
    title: "Prometheus cannot store",
    sentence: "The portal's Prometheus cannot store samples[: {reason}].",
    todo: 'Check its disk, and its log under "Scrape commit failed".',
    atPortal: {
      sentence: "the portal's Prometheus cannot store samples",
      todo: 'Check its disk, and its log under "Scrape commit failed".',
    },
    beyondProbe: true,
    seenBy: "the target is scraped, and there are no samples of it",
    texts: [
      { has: ["TSDB not ready"], take: () => ({ reason: "its database is not ready" }) },
      { has: ["no space left on device"], take: () => ({ reason: "its disk is full" }) },
      { has: ["input/output error"], take: () => ({ reason: "its disk fails" }) },
      { has: ["read-only file system"], take: () => ({ reason: "its disk is read-only" }) },
    ],
    example: { reason: "its disk is full" },
  },
  scrape_cancelled: {
    title: "scrape cancelled",
    sentence: "Prometheus cancelled the scrape.",
    todo: "It does so when it stops or reloads its configuration; if this stays, look at its log.",
    atPortal: {
      sentence: "Prometheus cancelled their scrapes",
      todo: "Look at its log: it stops, restarts or reloads its configuration.",
    },
    vague: true,
    beyondProbe: true,
    texts: [
      { has: ["context canceled"] },
      { has: ["operation was canceled"] },
      { has: ["request canceled"], rank: "last" },
    ],
    example: {},
  },
  prometheus_alone: {
    title: "Prometheus alone fails",
    sentence: "The portal itself can request the site, Prometheus alone fails[: {said}].",
    todo: "{advice|Compare the name server, the proxy variables (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) and the network of Prometheus with those of the portal.}",
    atPortal: {
      sentence: "the portal itself can request them, Prometheus alone fails",
      todo: "Compare name server, proxy variables and network of Prometheus with those of the portal.",
    },
    seenBy: "every stage of the probe passes, while the scrape fails",
    derive: ({ stage }): Details => (stage === "token" ? { advice: OTHER_TOKEN } : {}),
    example: { said: "nothing listens on 192.0.2.14:443" },
  },
})
