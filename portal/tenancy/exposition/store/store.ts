import type { Selector } from "#core/promql/selector.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Deadline } from "#core/retry/deadline.ts"
import { FedstackError } from "#core/errors.ts"
import { decodedLength } from "../../wire/snappy.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { storeBadResponse } from "../errors.ts"
import { type FamilyMetadata, METRIC_TYPES, type MetricType } from "../format/metadata.ts"
import type { RequestStore, StoreAddress, StoreRequest } from "./client.ts"
import { readRequest } from "./read-request.ts"
import { MOST_BYTES } from "./read-response.ts"

/** Compressed they have rarely more than an eighth. */
const MOST_BLOCK = 8 * 2 ** 20
const MOST_NAMES = 32 * 2 ** 20
const MOST_METADATA = 16 * 2 ** 20

/** Of one tenant: milliseconds. */
export interface LookBack {
  readonly start: number
  readonly end: number
}

/** The message `prometheus.ReadResponse`, compressed. */
export interface ReadBlock {
  readonly block: Buffer
  /** Of the message. */
  readonly bytes: number
}

/** What is read of a store for one tenant. Each rejects with an error of errors.ts. */
export interface TenantStore {
  /** Undefined where that is more than is read at once. */
  read(selectors: readonly Selector[], range: LookBack): Promise<ReadBlock | undefined>
  /** Names of metrics that have series. */
  names(selectors: readonly Selector[], range: LookBack): Promise<readonly string[]>
  metadata(): Promise<ReadonlyMap<string, FamilyMetadata>>
}

const READ = "/api/v1/read"
const REMOTE_READ = {
  "content-type": "application/x-protobuf",
  "content-encoding": "snappy",
  "x-prometheus-remote-read-version": "0.1.0",
}

export function openTenant(
  request: RequestStore,
  address: StoreAddress,
  tenant: TenantId,
  lifetime: Deadline,
): TenantStore {
  const send = (options: Omit<StoreRequest, "tenant" | "lifetime">): Promise<Buffer | undefined> =>
    request(address, { ...options, tenant, lifetime })
  const json = async (path: string, limit: number): Promise<unknown> => {
    const body = await send({ method: "GET", path, limit, isOfSeries: false })
    if (body === undefined) throw storeBadResponse({ problem: `${path.split("?", 1)[0]} has more than ${limit} bytes` })
    try {
      return (JSON.parse(body.toString("utf8")) as { readonly data?: unknown }).data
    } catch {
      throw storeBadResponse({ problem: `${path.split("?", 1)[0]} is no JSON` })
    }
  }
  return {
    async read(selectors, { start, end }) {
      const body = readRequest(selectors, start, end)
      const options = { path: READ, headers: REMOTE_READ, body, limit: MOST_BLOCK, isOfSeries: true }
      const block = await send({ method: "POST", ...options })
      return block && measured(block)
    },
    async names(selectors, { start, end }) {
      const match = selectors.map((selector) => `match%5B%5D=${encodeURIComponent(printSelector(selector))}`)
      const query = [...match, `start=${start / 1000}`, `end=${end / 1000}`].join("&")
      const names = await json(`/api/v1/label/__name__/values?${query}`, MOST_NAMES)
      if (!Array.isArray(names)) throw storeBadResponse({ problem: "its names are no list" })
      return names.filter((name) => typeof name === "string")
    },
    async metadata() {
      const data = await json("/api/v1/metadata", MOST_METADATA)
      if (typeof data !== "object" || data === null) throw storeBadResponse({ problem: "its metadata is no map" })
      return new Map(Object.entries(data).flatMap(([name, entries]) => readMetadata(name, entries)))
    },
  }
}

function measured(block: Buffer): ReadBlock | undefined {
  try {
    return { block, bytes: decodedLength(block, MOST_BYTES) }
  } catch (error) {
    if (error instanceof FedstackError && error.code === "MESSAGE_TOO_LARGE") return undefined
    throw storeBadResponse({ problem: `${READ} is no snappy block` })
  }
}

/** The first of several entries, which differ where targets disagree. */
function readMetadata(name: string, entries: unknown): readonly (readonly [string, FamilyMetadata])[] {
  const first: unknown = Array.isArray(entries) ? entries[0] : undefined
  if (typeof first !== "object" || first === null) return []
  const { type, help, unit } = first as Readonly<Record<string, unknown>>
  const text = (value: unknown): string => (typeof value === "string" ? value : "")
  const known = METRIC_TYPES.find((one) => one === type)
  return [[name, { type: known ?? ("unknown" satisfies MetricType), help: text(help), unit: text(unit) }]]
}
