import { type Attack, CLOSE, OURS, PATH, QUERY, SHARED, TOKEN, raw } from "./request.ts"

const E = encodeURIComponent

/** One selector in queries that look different. */
export const SPELLED_QUERIES: readonly (readonly [name: string, query: string])[] = [
  ["as the original was requested", QUERY],
  ["with literal brackets", `match[]=${E(SHARED)}`],
  ["with a letter of the name encoded", `%6Datch[]=${E(SHARED)}`],
  ["in another order", `match[]=${E('{job="project_usages",__name__=~"project_.*_usage"}')}`],
  ["with spaces", `match[]=${E('{ job = "project_usages" , __name__ =~ "project_.*_usage" }')}`],
  ["with plus signs for spaces", "match[]={job=%22project_usages%22,+__name__=~%22project_.*_usage%22}"],
  ["with a trailing comma", `match[]=${E('{job="project_usages",__name__=~"project_.*_usage",}')}`],
  ["with a comment", `match[]=${E('{job="project_usages", # usage\n__name__=~"project_.*_usage"}')}`],
  ["with other quotes and escapes", `match[]=${E("{job='project\\x5fusages',__name__=~`project_.*_usage`}")}`],
  ["twice", `match[]=${E(SHARED)}&match%5B%5D=${E(SHARED)}`],
]

const HEADERS: readonly (readonly [name: string, headers: readonly string[]])[] = [
  ["with the scheme in another case", ["Host: x", `Authorization: bEARER ${TOKEN}`]],
  // @fastify/reply-from before 12.6.2: Connection took headers away that the proxy itself had set
  [
    "with Connection naming every header that goes on (reply-from 12.6.2)",
    [
      ...OURS,
      "Connection: close, authorization, host, accept, accept-encoding, user-agent, x-prometheus-scrape-timeout-seconds",
    ],
  ],
  [
    "with an upgrade to HTTP/2",
    [...OURS, "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: Upgrade, HTTP2-Settings, close"],
  ],
  [
    "with an upgrade to WebSocket",
    [
      ...OURS,
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
      "Connection: Upgrade, close",
    ],
  ],
  [
    "with other methods in headers",
    [...OURS, "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: POST", "X-Method-Override: PUT"],
  ],
  [
    "with other targets in headers",
    [...OURS, "X-Original-URL: /api/v1/query", "X-Rewrite-URL: /-/quit", "X-Forwarded-Prefix: /x"],
  ],
  // fastify CVE-2026-3635: host and protocol were taken from any client that sent these
  [
    "with another origin in headers (CVE-2026-3635)",
    [
      ...OURS,
      "X-Forwarded-For: 10.0.0.1",
      "X-Forwarded-Host: evil.example",
      "X-Forwarded-Proto: https",
      "Forwarded: for=10.0.0.1;host=evil.example",
    ],
  ],
  [
    "with underscores in headers (CVE-2025-64484)",
    [...OURS, "X_Prometheus_Scrape_Timeout_Seconds: 0.1", "Accept_Encoding: gzip", "X_Scope_OrgID: 1"],
  ],
  [
    "with conditions and ranges",
    [...OURS, "If-None-Match: *", "If-Modified-Since: Sat, 01 Jan 2050 00:00:00 GMT", "Range: bytes=0-1"],
  ],
  [
    "with trailers and transfer codings",
    [...OURS, "TE: trailers, deflate", "Trailer: authorization", "Keep-Alive: timeout=9999"],
  ],
  ["with an empty body", [...OURS, "Content-Length: 0"]],
]

/** Rightful requests in other spellings, and headers that try to change them: what goes upstream is the same for all. */
export const SPELLINGS: readonly Attack[] = [
  ...SPELLED_QUERIES.map(([name, query]) => ({ name, bytes: raw(`/federate?${query}`), statuses: [200] })),
  ...HEADERS.map(([name, headers]) => {
    const closing = headers.some((header) => header.includes("close")) ? headers : [...headers, CLOSE]
    return { name, bytes: raw(PATH, closing), statuses: [200] }
  }),
]
