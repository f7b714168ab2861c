import { QUERY, SHARED, TOKEN } from "../../testing.ts"

/** Bytes that somebody sends, and the statuses that come back for them. */
export interface Attack {
  readonly name: string
  readonly bytes: string
  readonly statuses: readonly number[]
}

export const PATH = `/federate?${QUERY}`
export const OURS: readonly string[] = ["Host: x", `Authorization: Bearer ${TOKEN}`]
const CLOSE = "Connection: close"

/** A request in raw bytes; headers as they are given. */
export function raw(target: string, headers: readonly string[] = [...OURS, CLOSE], method = "GET", body = ""): string {
  return `${[`${method} ${target} HTTP/1.1`, ...headers].join("\r\n")}\r\n\r\n${body}`
}

const E = encodeURIComponent
const OTHER = E('{__name__=~".+"}')
const sameFor = (status: number, group: string, targets: readonly string[]): readonly Attack[] =>
  targets.map((target) => ({ name: `${group} ${target}`, bytes: raw(target), statuses: [status] }))
const query = ([name, text, status]: readonly [string, string, number]): Attack => ({
  name,
  bytes: raw(`/federate${text}`),
  statuses: [status],
})

const QUERIES: readonly Attack[] = (
  [
    ["no query", "", 400],
    ["an empty match[]", "?match[]=", 400],
    ["a foreign selector", `?match[]=${OTHER}`, 403],
    ["a foreign selector after the shared one", `?${QUERY}&match[]=${OTHER}`, 403],
    ["a foreign selector before the shared one", `?match[]=${OTHER}&${QUERY}`, 403],
    ["a foreign selector under another spelling of match[]", `?${QUERY}&%6Datch%5b%5D=${OTHER}`, 403],
    ["match without brackets", `?${QUERY}&match=${OTHER}`, 400],
    ["match[0]", `?${QUERY}&match[0]=${OTHER}`, 400],
    ["MATCH[]", `?${QUERY}&MATCH[]=${OTHER}`, 400],
    ["match[] with a NUL", `?${QUERY}&match[]%00=${OTHER}`, 400],
    ["a thousand parameters before a foreign selector", `?${"a=&".repeat(1000)}match[]=${OTHER}`, 400],
    ["a thousand shared selectors before a foreign one", `?${"match[]=up&".repeat(1000)}match[]=${OTHER}`, 400],
    ["an unknown parameter", `?${QUERY}&query=up`, 400],
    ["a token in the query", `?${QUERY}&access_token=${TOKEN}`, 400],
    ["a semicolon as separator", `?${QUERY};match[]=${OTHER}`, 400],
    ["a bad percent-encoding", `?${QUERY}%2`, 400],
    ["an overlong UTF-8 encoding", `?${QUERY}%c0%af`, 400],
    ["a lone surrogate in UTF-8", `?${QUERY}%ed%a0%80`, 400],
    ["a NUL", `?${QUERY}%00`, 400],
    ["a fragment", `?${QUERY}#x`, 400],
    ["an empty parameter", `?${QUERY}&`, 400],
    ["a second question mark", `?${QUERY}?match[]=${OTHER}`, 400],
    ["a doubly encoded selector", `?match[]=${E(E(SHARED))}`, 400],
    ["the shared text inside a string", `?match[]=${E(`{a=${JSON.stringify(SHARED)}}`)}`, 403],
    ["the shared text inside a raw string", `?match[]=${E(`{a=\`${SHARED}\`}`)}`, 403],
    ["the shared text inside a comment", `?match[]=${E(`up#${SHARED}`)}`, 403],
    ["a comment that a carriage return ends", `?match[]=${E(`${SHARED}#\r{}`)}`, 400],
    ["a foreign selector after a comment", `?match[]=${E(`${SHARED}#\n{}`)}`, 400],
    ["a string with an escaped quote", `?match[]=${E('{job="project_usages\\"",__name__=~"project_.*_usage"}')}`, 403],
    ["an alternative of two selectors", `?match[]=${E(`${SHARED} or up`)}`, 400],
    ["a range", `?match[]=${E(`${SHARED}[5m]`)}`, 400],
    ["an offset", `?match[]=${E(`${SHARED} offset 1h`)}`, 400],
    ["a time", `?match[]=${E(`${SHARED} @ 0`)}`, 400],
    ["a quoted name", `?match[]=${E('{"up"}')}`, 403],
    ["a negative matcher", `?match[]=${E('{job!="project_usages"}')}`, 403],
    ["an empty matcher, which selects everything", `?match[]=${E('{nosuchlabel=""}')}`, 403],
    ["no matchers", `?match[]=${E("{}")}`, 403],
    ["fewer matchers", `?match[]=${E('{__name__=~"project_.*_usage"}')}`, 403],
    ["a wider expression", `?match[]=${E('{__name__=~"project_.*",job="project_usages"}')}`, 403],
    ["an expression that backtracks", `?match[]=${E('{__name__=~"(a+)+b",job="project_usages"}')}`, 403],
    ["a back reference", `?match[]=${E('{__name__=~"(project)_.*_usage\\\\1",job="project_usages"}')}`, 403],
    ["a look-around", `?match[]=${E('{__name__=~"(?=project).*",job="project_usages"}')}`, 403],
    ["a selector of 5,000 characters", `?match[]=${E(`{a="${"b".repeat(5000)}"}`)}`, 400],
  ] as const
).map(query)

const TARGETS: readonly Attack[] = [
  ...sameFor(
    404,
    "the path",
    [
      ..."/ /federate/ //federate /FEDERATE /%66ederate /x/../federate /federate/.. /federate%2f /federate%3f /federate;x".split(
        " ",
      ),
      ..."/federate\\ /./federate /api/v1/query /api/v1/status/config /metrics /-/ready /-/reload /debug/pprof/".split(
        " ",
      ),
      ..."http://prometheus/federate //prometheus/federate https://prometheus/federate /federate%00 /federate. /federate%20".split(
        " ",
      ),
    ].map((path) => `${path}?${QUERY}`),
  ),
  { name: "the path of the admin's port", bytes: raw("/metrics"), statuses: [404] },
  { name: "a target that is a user's name", bytes: raw(`@prometheus${PATH}`), statuses: [400] },
  { name: "a target without a slash", bytes: raw(`federate?${QUERY}`), statuses: [400] },
  { name: "an asterisk with a query", bytes: raw(`*?${QUERY}`), statuses: [400] },
  { name: "a badly encoded path", bytes: raw("/federate%zz"), statuses: [400] },
  { name: "a space in the target", bytes: raw(`${PATH} /x`), statuses: [400] },
  { name: "a tab in the target", bytes: raw(`${PATH}\t/x`), statuses: [400] },
  { name: "bytes beyond ASCII in the query", bytes: raw(`${PATH}\xe9`), statuses: [400] },
  { name: "a raw NUL in the target", bytes: raw(`/federate\0?${QUERY}`), statuses: [400] },
  // oauth2-proxy CVE-2025-54576: an allowed path was looked for in the whole target, query included
  ...sameFor(404, "a path with the shared one in its query (CVE-2025-54576):", [
    `/api/v1/query?query=up&x=/federate?${QUERY}`,
    `/api/v1/query?/federate?${QUERY}`,
  ]),
  // oauth2-proxy CVE-2026-41059: what an upstream cuts off as a fragment made the target look allowed
  ...sameFor(404, "a path that ends in a fragment (CVE-2026-41059):", [
    `/api/v1/query#/federate?${QUERY}`,
    `/federate#?${QUERY}`,
    `/api/v1/query%23/federate?${QUERY}`,
  ]),
]

const METHODS: readonly Attack[] = [
  ...["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY"].map((method): Attack => {
    const length = ["POST", "PUT"].includes(method) ? ["Content-Length: 0"] : []
    return { name: `the method ${method}`, bytes: raw(PATH, [...OURS, ...length, CLOSE], method), statuses: [405] }
  }),
  ...["get", "FEDERATE", "GET\0", "G\xe9T"].map((method): Attack => {
    const bytes = raw(PATH, [...OURS, CLOSE], method)
    return { name: `the method ${JSON.stringify(method)}`, bytes, statuses: [400] }
  }),
  { name: "a tunnel", bytes: raw("prometheus:9090", [...OURS, CLOSE], "CONNECT"), statuses: [] },
]

const TOKENS: readonly Attack[] = (
  [
    ["no token", []],
    ["an empty header", ["Authorization: "]],
    ["an empty token", ["Authorization: Bearer "]],
    ["no scheme", [`Authorization: ${TOKEN}`]],
    ["another scheme", [`Authorization: Basic ${TOKEN}`]],
    ["two spaces", [`Authorization: Bearer  ${TOKEN}`]],
    ["a tab", [`Authorization: Bearer\t${TOKEN}`]],
    ["a prefix of the token", [`Authorization: Bearer ${TOKEN.slice(0, -1)}`]],
    ["the token and more", [`Authorization: Bearer ${TOKEN}a`]],
    ["the token and what no token holds", [`Authorization: Bearer ${TOKEN}!`]],
    ["the token and another word", [`Authorization: Bearer ${TOKEN} x`]],
    ["the token and padding", [`Authorization: Bearer ${TOKEN}=`]],
    ["another case", [`Authorization: Bearer ${TOKEN.toUpperCase()}`]],
    ["a percent-encoded token", [`Authorization: Bearer ${TOKEN.replace("r", "%72")}`]],
    ["a quoted token", [`Authorization: Bearer "${TOKEN}"`]],
    ["a list of tokens", [`Authorization: Bearer wrong, Bearer ${TOKEN}`]],
    ["__proto__", ["Authorization: Bearer __proto__"]],
    ["constructor", ["Authorization: Bearer constructor"]],
    ["undefined", ["Authorization: Bearer undefined"]],
    ["the right header twice", [`Authorization: Bearer ${TOKEN}`, `Authorization: Bearer ${TOKEN}`]],
    ["a wrong header after the right one", [`Authorization: Bearer ${TOKEN}`, "authorization: Bearer wrong"]],
    ["a wrong header before the right one", ["Authorization: Bearer wrong", `AUTHORIZATION: Bearer ${TOKEN}`]],
    ["another header", [`X-Authorization: Bearer ${TOKEN}`, `Proxy-Authorization: Bearer ${TOKEN}`]],
    // oauth2-proxy CVE-2025-64484: whoever reads headers as variables takes _ and - for the same
    [
      "a header with an underscore (CVE-2025-64484)",
      [`Authorization_: Bearer ${TOKEN}`, `HTTP_AUTHORIZATION: ${TOKEN}`],
    ],
    ["a cookie", [`Cookie: authorization=Bearer ${TOKEN}`]],
    [
      "who a proxy in front says it is",
      ["X-Forwarded-User: portal", "X_Forwarded_User: portal", "Remote-User: portal"],
    ],
    ["where a proxy in front says it comes from", ["X-Forwarded-For: 127.0.0.1", "Forwarded: for=127.0.0.1"]],
    ["a health check's user agent (CVE-2026-34457)", ["User-Agent: GoogleHC/1.0"]],
    ["another target that a proxy in front names (CVE-2026-40575)", ["X-Forwarded-Uri: /-/healthy"]],
  ] as const
).map(([name, headers]) => ({
  name: `${name} for a token`,
  bytes: raw(PATH, ["Host: x", ...headers, CLOSE]),
  statuses: [401],
}))

const HIDDEN = raw("/api/v1/query?query=up", ["Host: x"])
const FRAMES: readonly Attack[] = (
  [
    ["a pipelined request without a token", raw(PATH, OURS) + raw(PATH, ["Host: x", CLOSE]), [200, 401]],
    ["a pipelined request for another path", raw(PATH, OURS) + raw("/api/v1/query?query=up"), [200, 404]],
    [
      "a pipelined request by POST",
      raw(PATH, OURS) + raw("/-/quit", [...OURS, "Content-Length: 0", CLOSE], "POST"),
      [200, 404],
    ],
    [
      "CL.TE",
      raw(
        PATH,
        [...OURS, `Content-Length: ${HIDDEN.length + 5}`, "Transfer-Encoding: chunked"],
        "GET",
        `0\r\n\r\n${HIDDEN}`,
      ),
      [400],
    ],
    [
      "TE.CL",
      raw(PATH, [...OURS, "Transfer-Encoding: chunked", "Content-Length: 4"], "GET", `0\r\n\r\n${HIDDEN}`),
      [400],
    ],
    [
      "TE.TE",
      raw(PATH, [...OURS, "Transfer-Encoding: chunked", "Transfer-Encoding: cow", CLOSE], "GET", "0\r\n\r\n"),
      [400],
    ],
    [
      "a transfer encoding in disguise",
      raw(PATH, [...OURS, "Transfer-Encoding: xchunked", CLOSE], "GET", "0\r\n\r\n"),
      [400],
    ],
    [
      "chunked after another encoding",
      raw(PATH, [...OURS, "Transfer-Encoding: gzip, chunked", CLOSE], "GET", "0\r\n\r\n"),
      [400],
    ],
    [
      "a chunk of a huge length",
      raw(PATH, [...OURS, "Transfer-Encoding: chunked", CLOSE], "GET", "fffffffffffffffff\r\n"),
      [400],
    ],
    ["two content lengths", raw(PATH, [...OURS, "Content-Length: 0", "Content-Length: 5"], "GET", "abcde"), [400]],
    ["a list of content lengths", raw(PATH, [...OURS, "Content-Length: 0, 0"]), [400]],
    ["a signed content length", raw(PATH, [...OURS, "Content-Length: +0"]), [400]],
    ["a folded header", raw(PATH, ["Host: x", `X-A: b\r\n Authorization: Bearer ${TOKEN}`, CLOSE]), [400]],
    ["a folded token", raw(PATH, ["Host: x", `Authorization: Bearer\r\n ${TOKEN}`, CLOSE]), [400]],
    ["a space before the colon", raw(PATH, ["Host: x", `Authorization : Bearer ${TOKEN}`, CLOSE]), [400]],
    ["a header without a colon", raw(PATH, [...OURS, "nothing", CLOSE]), [400]],
    ["a NUL in a header", raw(PATH, [...OURS, "X: a\0b", CLOSE]), [400]],
    ["line feeds alone", raw(PATH, [...OURS, CLOSE]).replaceAll("\r\n", "\n"), [400]],
    [
      "a line feed alone before a hidden header",
      raw(PATH, ["Host: x", `X: y\nAuthorization: Bearer ${TOKEN}`, CLOSE]),
      [400],
    ],
    ["carriage returns alone", raw(PATH, [...OURS, CLOSE]).replaceAll("\r\n", "\r"), [400]],
    ["no host", raw(PATH, [`Authorization: Bearer ${TOKEN}`, CLOSE]), [400]],
    ["HTTP/0.9", `GET ${PATH}\r\n\r\n`, [401]],
    ["HTTP/3.0", raw(PATH).replace("HTTP/1.1", "HTTP/3.0"), [400]],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]],
    ["TLS", "\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03", [400]],
    ["a PROXY line", `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n${raw(PATH)}`, [400]],
    ["an expectation", raw(PATH, [...OURS, "Expect: 100-continue", CLOSE]), [100, 200]],
    ["an expectation that nobody meets", raw(PATH, [...OURS, "Expect: wonders", CLOSE]), [417]],
    ["a body", raw(PATH, [...OURS, "Content-Length: 3", CLOSE], "GET", "abc"), [400]],
    ["headers of 20,000 bytes", raw(PATH, [...OURS, `X: ${"a".repeat(20_000)}`]), [431]],
    [
      "a thousand headers of 20 bytes",
      raw(PATH, [...OURS, ...Array.from({ length: 1000 }, (_, i) => `X-${i}: aaaaaaaaaaaa`)]),
      [431],
    ],
    ["a target of 20,000 bytes", raw(`${PATH}&match[]=${"a".repeat(20_000)}`), [431]],
  ] as const
).map(([name, bytes, statuses]) => ({ name, bytes, statuses }))

export const ATTACKS: readonly Attack[] = [...QUERIES, ...TARGETS, ...METHODS, ...TOKENS, ...FRAMES]

/** Rightful requests in other spellings, and headers that try to change them: what goes upstream is the same for all. */
export const SPELLINGS: readonly Attack[] = [
  ...[
    ["as the original was asked", QUERY],
    ["with literal brackets", `match[]=${E(SHARED)}`],
    ["with a letter of the name encoded", `%6Datch[]=${E(SHARED)}`],
    ["in another order", `match[]=${E('{job="project_usages",__name__=~"project_.*_usage"}')}`],
    ["with spaces", `match[]=${E('{ job = "project_usages" , __name__ =~ "project_.*_usage" }')}`],
    ["with plus signs for spaces", "match[]={job=%22project_usages%22,+__name__=~%22project_.*_usage%22}"],
    ["with a trailing comma", `match[]=${E('{job="project_usages",__name__=~"project_.*_usage",}')}`],
    ["with a comment", `match[]=${E('{job="project_usages", # usage\n__name__=~"project_.*_usage"}')}`],
    ["with other quotes and escapes", `match[]=${E("{job='project\\x5fusages',__name__=~`project_.*_usage`}")}`],
    ["twice", `match[]=${E(SHARED)}&match%5B%5D=${E(SHARED)}`],
  ].map(([name = "", text = ""]): Attack => ({ name, bytes: raw(`/federate?${text}`), statuses: [200] })),
  ...(
    [
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
        [
          ...OURS,
          "Upgrade: h2c",
          "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
          "Connection: Upgrade, HTTP2-Settings, close",
        ],
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
      // fastify CVE-2026-3635: host and protocol were taken from whoever sent these
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
    ] as const
  ).map(([name, headers]): Attack => ({
    name,
    bytes: raw(PATH, headers.some((header) => header.includes("close")) ? headers : [...headers, CLOSE]),
    statuses: [200],
  })),
]
