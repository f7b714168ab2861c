/** Those that set a flag of some command; several commands may be given one file of variables. */
export const SETTINGS: readonly string[] = [
  "FEDSTACK_ADMIN_LISTEN_ADDRESS",
  "FEDSTACK_ALLOW",
  "FEDSTACK_ENDPOINT_TIMEOUT",
  "FEDSTACK_IN_USE",
  "FEDSTACK_LIMIT_RESPONSE_BYTES",
  "FEDSTACK_LOG_FORMAT",
  "FEDSTACK_LOG_LEVEL",
  "FEDSTACK_MAX_AGE",
  "FEDSTACK_OPENRC",
  "FEDSTACK_OS_TIMEOUT",
  "FEDSTACK_POLICY",
  "FEDSTACK_PORT",
  "FEDSTACK_PROJECT_LABELS",
  "FEDSTACK_PROMETHEUS_BASE_CONFIG",
  "FEDSTACK_PROMETHEUS_CONFIG_DIR",
  "FEDSTACK_PROMETHEUS_URL",
  "FEDSTACK_PROMETHEUS_VERSION",
  "FEDSTACK_QUOTA_INTERVAL",
  "FEDSTACK_SITES_FILE",
  "FEDSTACK_STATE_FILE",
  "FEDSTACK_TOKEN_FILE",
  "FEDSTACK_UPSTREAM",
  "FEDSTACK_UPSTREAM_TIMEOUT",
  "FEDSTACK_USAGE_MONTHS",
  "FEDSTACK_WEB_CONFIG_FILE",
  "FEDSTACK_WEB_LISTEN_ADDRESS",
]
const PREFIX = "FEDSTACK_"
const OF_DEVELOPERS = /^FEDSTACK_(?:(?:TEST|DEV)_\w+|PROMETHEUS_(?:DIR|\d+_\d+)|OPA|KUBE|OPENSTACK)$/

/** What Kubernetes sets in every pod of a namespace, for each of its Services (kubernetes.io, "Environment variables"). */
const LINK_NAME = /_SERVICE_(?:HOST|PORT(?:_\w+)?)$|_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/
const LINK = /^(?:tcp|udp|sctp):\/\/(?:[\d.]+|\[[\da-f:.]+\]):\d+$/i

type Environment = Readonly<Record<string, string | undefined>>

/** A Service `fedstack` sets FEDSTACK_PORT to such a text as `tcp://10.0.0.1:9090`: it is meant for nobody. */
export const isServiceLink = (name: string, value: string | undefined): boolean =>
  name.endsWith("_PORT") && LINK.test(value ?? "")

export interface UnknownVariable {
  readonly variable: string
  /** What may be meant, where one is near enough. */
  readonly nearest?: string
}

/** Those that look like a setting but are none, of no command. */
export function unknownVariables(env: Environment): readonly UnknownVariable[] {
  const known = (name: string): boolean =>
    SETTINGS.includes(name) || OF_DEVELOPERS.test(name) || LINK_NAME.test(name) || isServiceLink(name, env[name])
  return Object.keys(env)
    .filter((name) => name.toUpperCase().startsWith(PREFIX) && (env[name] ?? "") !== "" && !known(name))
    .map((variable) => ({ variable, ...nearestTo(variable.toUpperCase()) }))
}

function nearestTo(name: string): { nearest?: string } {
  const [first] = SETTINGS.map((nearest) => ({ nearest, edits: editsBetween(name, nearest) })).toSorted(
    (a, b) => a.edits - b.edits,
  )
  // with more of it changed than kept, a name is another one
  return first === undefined || first.edits * 2 > name.length - PREFIX.length ? {} : { nearest: first.nearest }
}

/** Characters to insert, delete or replace: Levenshtein's distance. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, character] of Array.from(from).entries()) {
    const next = [index + 1]
    for (const [column, other] of Array.from(to).entries()) {
      const [diagonal = 0, above = 0, left = 0] = [row[column], row[column + 1], next[column]]
      next.push(Math.min(diagonal + (character === other ? 0 : 1), above + 1, left + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
