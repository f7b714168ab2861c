import { type Attack, CLOSE, OURS, PATH, QUERY, raw } from "./request.ts"

const sameFor = (status: number, group: string, targets: readonly string[]): readonly Attack[] =>
  targets.map((target) => ({ name: `${group} ${target}`, bytes: raw(target), statuses: [status] }))

const PATHS = [
  "/ /federate/ //federate /FEDERATE /%66ederate /x/../federate /federate/.. /federate%2f /federate%3f /federate;x",
  "/federate\\ /./federate /api/v1/query /api/v1/status/config /metrics /-/ready /-/reload /debug/pprof/",
  "http://prometheus/federate //prometheus/federate https://prometheus/federate /federate%00 /federate. /federate%20",
].flatMap((line) => line.split(" "))

const MALFORMED: readonly (readonly [name: string, target: string])[] = [
  ["a target that is a user's name", `@prometheus${PATH}`],
  ["a target without a slash", `federate?${QUERY}`],
  ["an asterisk with a query", `*?${QUERY}`],
  ["a badly encoded path", "/federate%zz"],
  ["a space in the target", `${PATH} /x`],
  ["a tab in the target", `${PATH}\t/x`],
  ["bytes beyond ASCII in the query", `${PATH}\xe9`],
  ["a raw NUL in the target", `/federate\0?${QUERY}`],
]

/** Other paths, and the shared one in disguise. */
export const TARGETS: readonly Attack[] = [
  ...sameFor(
    404,
    "the path",
    PATHS.map((path) => `${path}?${QUERY}`),
  ),
  { name: "the path of the admin's port", bytes: raw("/metrics"), statuses: [404] },
  ...MALFORMED.map(([name, target]) => ({ name, bytes: raw(target), statuses: [400] })),
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

export const METHODS: readonly Attack[] = [
  ...["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "QUERY"].map((method) => {
    const length = ["POST", "PUT"].includes(method) ? ["Content-Length: 0"] : []
    return { name: `the method ${method}`, bytes: raw(PATH, [...OURS, ...length, CLOSE], method), statuses: [405] }
  }),
  ...["get", "FEDERATE", "GET\0", "G\xe9T"].map((method) => {
    const bytes = raw(PATH, [...OURS, CLOSE], method)
    return { name: `the method ${JSON.stringify(method)}`, bytes, statuses: [400] }
  }),
  { name: "a tunnel", bytes: raw("prometheus:9090", [...OURS, CLOSE], "CONNECT"), statuses: [] },
]
