import { type Decide, type Decision, isRead } from "./decision.ts"

/** Of the user interface since 2.34, and of the one before it, which Debian's builds have. All are the same for all requests. */
const PAGES = [
  "/",
  "/agent",
  "/alertmanager-discovery",
  "/alerts",
  "/config",
  "/flags",
  "/graph",
  "/query",
  "/rules",
  "/service-discovery",
  "/starting",
  "/status",
  "/targets",
  "/tsdb-status",
]

/** By GET and POST. */
const QUERIES = [
  "format_query",
  "labels",
  "parse_query",
  "query",
  "query_exemplars",
  "query_range",
  "search/label_names",
  "search/label_values",
  "search/metric_names",
  "series",
]

/** By GET. status/config is none of them: secrets of the configuration turned up there. */
const READS = [
  "alertmanagers",
  "alerts",
  "features",
  "metadata",
  "notifications",
  "rules",
  "scrape_pools",
  "status/buildinfo",
  "status/flags",
  "status/runtimeinfo",
  "status/self_metrics",
  "status/tsdb",
  "status/tsdb/blocks",
  "status/walreplay",
  "targets",
  "targets/metadata",
  "targets/relabel_steps",
]

const api = (name: string): string => `/api/v1/${name}`

/** Decisions about some paths, which are the paths of the upstream too. */
const listed = (kind: Decision["kind"], paths: readonly string[]) =>
  paths.map((path) => [path, { kind, path }] as const)

const BY_POST = new Map(listed("query", QUERIES.map(api)))

const BY_GET: ReadonlyMap<string, Decision> = new Map([
  ...listed("page", [...PAGES, ...PAGES.map((path) => `/classic${path}`)]),
  ...listed("plain", ["/favicon.ico", "/favicon.svg", "/manifest.json", "/-/healthy", "/-/ready", ...READS.map(api)]),
  ...BY_POST,
  // a stream that would hold one of the six connections of a browser; the page polls where there is none
  ...listed("nothing", ["/api/v1/notifications/live"]),
])

/** Scripts, styles and pictures of the pages; a name begins with no dot. */
const ASSET = /^\/(?:assets|static|classic\/static)(?:\/[\w@-][\w.@-]*)+$/
const LABEL_VALUES = /^\/api\/v1\/label\/([^/]+)\/values$/

/** What is read of Prometheus; nothing that changes it, and nothing for other programs such as /metrics and /federate. */
export const decidePrometheus: Decide = (method, path) => {
  if (method === "POST") return BY_POST.get(path)
  if (!isRead(method)) return undefined
  const decision = BY_GET.get(path)
  if (decision !== undefined) return decision
  if (ASSET.test(path)) return { kind: "plain", path }
  const label = LABEL_VALUES.exec(path)?.[1]
  return label === undefined ? undefined : { kind: "query", path: `/api/v1/label/${encodeURIComponent(label)}/values` }
}
