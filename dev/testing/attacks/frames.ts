import { type Attack, CLOSE, OURS, PATH, TOKEN, raw } from "./request.ts"

/** A rightful request with more headers, and what follows them. */
const ours = (headers: readonly string[], body?: string): string => raw(PATH, [...OURS, ...headers, CLOSE], "GET", body)
/** The same, on a connection that is to stay. */
const kept = (headers: readonly string[], body?: string): string => raw(PATH, [...OURS, ...headers], "GET", body)
/** A request without our token, but for these headers. */
const bare = (...headers: readonly string[]): string => raw(PATH, ["Host: x", ...headers, CLOSE])

const CHUNKED = "Transfer-Encoding: chunked"
const HIDDEN = `0\r\n\r\n${raw("/api/v1/query?query=up", ["Host: x"])}`
const QUIT = raw("/-/quit", [...OURS, "Content-Length: 0", CLOSE], "POST")
const MANY = Array.from({ length: 1000 }, (_, i) => `X-${i}: aaaaaaaaaaaa`)

/** Where a request ends, and what is none. */
export const FRAMES: readonly Attack[] = (
  [
    ["a pipelined request without a token", kept([]) + bare(), [200, 401]],
    ["a pipelined request for another path", kept([]) + raw("/api/v1/query?query=up"), [200, 404]],
    ["a pipelined request by POST", kept([]) + QUIT, [200, 404]],
    ["CL.TE", kept([`Content-Length: ${HIDDEN.length}`, CHUNKED], HIDDEN), [400]],
    ["TE.CL", kept([CHUNKED, "Content-Length: 4"], HIDDEN), [400]],
    ["TE.TE", ours([CHUNKED, "Transfer-Encoding: cow"], "0\r\n\r\n"), [400]],
    ["a transfer encoding in disguise", ours(["Transfer-Encoding: xchunked"], "0\r\n\r\n"), [400]],
    ["chunked after another encoding", ours(["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"), [400]],
    ["a chunk of a huge length", ours([CHUNKED], "fffffffffffffffff\r\n"), [400]],
    ["two content lengths", kept(["Content-Length: 0", "Content-Length: 5"], "abcde"), [400]],
    ["a list of content lengths", kept(["Content-Length: 0, 0"]), [400]],
    ["a signed content length", kept(["Content-Length: +0"]), [400]],
    ["a folded header", bare(`X-A: b\r\n Authorization: Bearer ${TOKEN}`), [400]],
    ["a folded token", bare(`Authorization: Bearer\r\n ${TOKEN}`), [400]],
    ["a space before the colon", bare(`Authorization : Bearer ${TOKEN}`), [400]],
    ["a header without a colon", ours(["nothing"]), [400]],
    ["a NUL in a header", ours(["X: a\0b"]), [400]],
    ["line feeds alone", ours([]).replaceAll("\r\n", "\n"), [400]],
    ["a line feed alone before a hidden header", bare(`X: y\nAuthorization: Bearer ${TOKEN}`), [400]],
    ["carriage returns alone", ours([]).replaceAll("\r\n", "\r"), [400]],
    ["no host", raw(PATH, [`Authorization: Bearer ${TOKEN}`, CLOSE]), [400]],
    ["HTTP/0.9", `GET ${PATH}\r\n\r\n`, [401]],
    ["HTTP/3.0", ours([]).replace("HTTP/1.1", "HTTP/3.0"), [400]],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]],
    ["TLS", "\x16\x03\x01\x00\xf4\x01\x00\x00\xf0\x03\x03", [400]],
    ["a PROXY line", `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n${ours([])}`, [400]],
    ["an expectation", ours(["Expect: 100-continue"]), [100, 200]],
    ["an expectation that is not met", ours(["Expect: wonders"]), [417]],
    ["a body", ours(["Content-Length: 3"], "abc"), [400]],
    ["headers of 256 KiB", kept([`X: ${"a".repeat(262_144)}`]), [431]],
    ["a thousand headers of 20 bytes", kept(MANY), [431]],
    ["a target of 256 KiB", raw(`${PATH}&match[]=${"a".repeat(262_144)}`), [431]],
    ["a selector of 20,000 characters", raw(`${PATH}&match[]=${"a".repeat(20_000)}`), [400]],
    [
      "a second Authorization after two hundred headers",
      raw(PATH, [...OURS, ...MANY.slice(0, 200), "Authorization: Bearer x", CLOSE]),
      [431],
    ],
  ] as const
).map(([name, bytes, statuses]) => ({ name, bytes, statuses }))
