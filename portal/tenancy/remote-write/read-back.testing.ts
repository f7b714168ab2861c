import type { RunningCortex } from "../../../dev/testing/cortex.ts"
import { type Element, keyOf } from "../../../dev/testing/remote-write/elements.ts"
import { exemplarsOf, readAll } from "../../../dev/testing/remote-write/read-back.ts"
import type { Recorded } from "../../../dev/testing/remote-write/recorder.ts"
import type { Chain } from "./chain.testing.ts"

/** Of series without the label. */
const DEFAULT_TENANT = "0"

/** The proxy's flags, as far as they decide what is stored where. */
export interface Routed {
  /** `--strip-tenant-label`. */
  readonly strips: boolean
  /** Without `--disable-full-replication`. */
  readonly replicates: boolean
}

const STRIPS: Routed = { strips: true, replicates: false }

type Stored = "samples" | "histograms" | "exemplars"

/** What was sent, and what became of it. */
export interface Balance {
  /** Elements that a 2xx was for, each once. */
  readonly acknowledged: number
  /** Of these: what its tenant cannot read, the first few. */
  readonly lost: readonly string[]
  /** What tenants can read that was never sent for them, the first few. */
  readonly foreign: readonly string[]
  /** What was sent, whatever the response was, and cannot be read, but for exemplars that came without their series. */
  readonly missing: readonly string[]
  /** How often an element was accepted by Cortex that it had accepted before. */
  readonly duplicates: number
  /** How much each tenant can read. */
  readonly stored: ReadonlyMap<string, Readonly<Record<Stored, number>>>
}

/** Compares what was sent for each tenant with what each reads back. Metadata has no tenant, and is left out. */
export async function balance({ cortex, received, forwarded }: Chain, routing = STRIPS): Promise<Balance> {
  const places = placesOf(routing)
  const sent = new Set(elements(received.requests).flatMap(places))
  const acknowledged = new Set(elements(received.requests.filter(isSuccess)).flatMap(places))
  const tenants = await tenantsOf(cortex)
  const read = await Promise.all(
    tenants.map(async (tenant) => {
      const all = await everythingOf(cortex, tenant)
      return [tenant, all] as const
    }),
  )
  const stored = new Set(read.flatMap(([tenant, all]) => all.map((element) => `${tenant} ${keyOf(element)}`)))
  const count = (all: readonly Element[], kind: Element["kind"]) =>
    all.filter((element) => element.kind === kind).length
  return {
    acknowledged: acknowledged.size,
    lost: first(acknowledged.difference(stored)),
    foreign: first(stored.difference(sent)),
    missing: [...sent.difference(stored).difference(exemplarsAlone(forwarded))],
    duplicates: duplicates(forwarded.requests),
    stored: new Map(
      read.map(([tenant, all]) => [
        tenant,
        {
          samples: count(all, "sample"),
          histograms: count(all, "histogram"),
          exemplars: count(all, "exemplar"),
        },
      ]),
    ),
  }
}

/** For messages. */
export const first = (keys: Iterable<string>): readonly string[] => {
  const all = [...keys]
  return all.length <= 5 ? all : [...all.slice(0, 5), `and ${all.length - 5} more`]
}

/** Samples, stale markers, histograms and exemplars. */
export async function everythingOf(cortex: RunningCortex, tenant: string): Promise<readonly Element[]> {
  const end = String(Math.ceil(Date.now() / 1000) + 3600)
  const exemplars = await cortex.get(tenant, "query_exemplars", { query: '{__name__=~".+"}', start: "0", end })
  return [...(await readAll(`${cortex.url}/prometheus`, tenant)), ...exemplarsOf(exemplars)]
}

/** All that Cortex knows of. */
export async function tenantsOf(cortex: RunningCortex): Promise<readonly string[]> {
  const response = await fetch(`${cortex.url}/distributor/all_user_stats`, { headers: { accept: "application/json" } })
  return ((await response.json()) as { userID: string }[]).map(({ userID }) => userID).toSorted()
}

/** Without metadata. */
export const elements = (requests: readonly Recorded[]): readonly Element[] =>
  requests.flatMap((request) => request.elements()).filter(({ kind }) => kind !== "metadata")

export const isSuccess = ({ status }: Recorded): boolean => status >= 200 && status < 300

/**
 * What Cortex refused as it came without samples of its series: a Prometheus that is busy sends exemplars by remote write 2
 * in the message after those, once in thousands of messages.
 */
function exemplarsAlone(forwarded: Chain["forwarded"]): ReadonlySet<string> {
  const refused = forwarded.requests.filter(({ version, status }) => version === 2 && status === 400)
  const keys = refused.flatMap((request) => {
    const all = elements([request])
    return all.every(({ kind }) => kind === "exemplar") ? all.map((one) => `${request.tenant} ${keyOf(one)}`) : []
  })
  return new Set(keys)
}

/** Whether a request was refused, and has exemplars that had to come without their series. */
export function lacksSeries({ forwarded }: Chain, routing = STRIPS): (request: Recorded) => boolean {
  const alone = exemplarsAlone(forwarded)
  const places = placesOf(routing)
  return (request) =>
    request.status === 400 &&
    elements([request])
      .flatMap(places)
      .some((key) => alone.has(key))
}

/** The tenants and keys of an element as it has to be stored. */
const placesOf =
  ({ strips, replicates }: Routed) =>
  (element: Element): readonly string[] => {
    const { tenant_id: tenant, ...others } = element.labels
    const whole = `${DEFAULT_TENANT} ${keyOf(element)}`
    if (tenant === undefined) return [whole]
    const own = `${tenant} ${keyOf(strips ? { ...element, labels: others } : element)}`
    return replicates ? [own, whole] : [own]
  }

function duplicates(requests: readonly Recorded[]): number {
  const accepted = requests
    .filter(isSuccess)
    .flatMap((request) => [...new Set(elements([request]).map(keyOf))].map((key) => `${request.tenant} ${key}`))
  return accepted.length - new Set(accepted).size
}
