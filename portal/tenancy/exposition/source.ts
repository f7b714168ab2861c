import { closeAll } from "#core/closable.ts"
import { FedstackError } from "#core/errors.ts"
import type { Source } from "#core/federation/source.ts"
import { openUpstreamAgents } from "#core/federation/upstreams/access.ts"
import { rememberHealth, suspectedAfter } from "#core/http/upstream-health.ts"
import { acceptsGzip } from "#core/http/accept-encoding.ts"
import type { Logger } from "#core/log/logger.ts"
import { printSelector, type Selector } from "#core/promql/selector.ts"
import type { CachedRequest } from "#core/response-cache/cache.ts"
import type { ResponseSink } from "#core/response-cache/growing.ts"
import { Deadline } from "#core/retry/deadline.ts"
import type { TenantId } from "../tenants/tenant.ts"
import type { TenantClient, TenantPolicy } from "./clients/client.ts"
import { isOfStore, queryTimeout, storeTimeout } from "./errors.ts"
import type { ExpositionMetrics } from "./metrics.ts"
import { type Metadata, merged } from "./format/metadata.ts"
import { openFormat, type WantedFormat, wantedFormat } from "./format/negotiate.ts"
import { createRequestStore, type StoreAddress } from "./store/client.ts"
import { createMetadataCache } from "./store/metadata-cache.ts"
import { createPageMemory } from "./store/page-memory.ts"
import { openTenant } from "./store/store.ts"
import { createPager } from "./pages.ts"
import { openWriters } from "./writing/open-writers.ts"

/** Seconds. */
const CONNECT_TIMEOUT = 3
/** Seconds that reading metadata may take, whichever client waits for it. */
const METADATA_TIMEOUT = 10
/** Bytes of series of all clients, uncompressed, that are written at once. */
const PAGES_BYTES = 16 * 2 ** 20
/** What tells the series of several tenants apart. */
const TENANT_LABEL = "tenant_id"

/** What a client may have of which tenants. */
export interface TenantQuery {
  readonly tenants: readonly TenantId[]
  readonly selectors: readonly Selector[]
  readonly key: string
}

export interface TenantRequest extends CachedRequest {
  readonly query: TenantQuery
  readonly target: StoreTarget
  readonly wanted: WantedFormat
  readonly gzip: boolean
}

/** What the requests of one policy have in common. */
interface StoreTarget extends StoreAddress, Pick<TenantPolicy, "lookBack" | "timestamps"> {
  readonly number: number
  /** The most that any client may have. */
  readonly timeout: number
  readonly series: number
}

/** Series of tenants in Cortex or Mimir, as what clients are served from. */
export function openStore(
  log: Logger,
  now: () => Date,
  milliseconds: () => number,
  metrics: ExpositionMetrics,
): Source<TenantPolicy, TenantClient, TenantQuery, TenantRequest> {
  const health = rememberHealth(milliseconds)
  const agents = openUpstreamAgents(CONNECT_TIMEOUT)
  const request = createRequestStore({ health, agentOf: (access) => agents.of(access), log, metrics })
  const metadataCache = createMetadataCache(milliseconds, log)
  const memory = createPageMemory(PAGES_BYTES)
  const readPages = createPager({ memory, metrics })
  const writers = openWriters({ metrics, log })
  metrics.watchStore(health, memory)
  let number = 0

  async function fetch(
    { query, target, wanted, gzip }: TenantRequest,
    sink: ResponseSink,
    signal: AbortSignal,
  ): Promise<void> {
    using lifetime = new Deadline(target.timeout, signal)
    const started = health.now()
    try {
      const end = now().getTime()
      const tenants = query.tenants.map((tenant) => ({
        tenant,
        store: openTenant(request, target, tenant, lifetime),
        label: query.tenants.length > 1 ? ([TENANT_LABEL, tenant] as const) : undefined,
      }))
      const metadata = await Promise.all(query.tenants.map((tenant) => metadataOf(target, tenant, lifetime.signal)))
      const { timestamps, series } = target
      const { contentType } = openFormat(wanted, timestamps)
      const begin = onlyOnce(() => sink.begin({ headers: headersOf(contentType, gzip), length: undefined }))
      const range = { start: end - target.lookBack * 1000, end }
      using writer = writers.open(
        { wanted, timestamps, gzip, series },
        metadata,
        { begin, add: (chunk) => sink.add(chunk), count: (written) => (sink.series = written) },
        lifetime.signal,
      )
      const pages = readPages({ ...query, tenants, range, metadata: merged(metadata) }, lifetime.signal)
      for await (const page of pages) await writer.write(page)
      await writer.end()
    } catch (error) {
      if (signal.aborted) {
        const seconds = Math.round(health.now() - started) / 1000
        if (seconds > suspectedAfter(target.timeout) && !worked(target, started)) {
          reported(storeTimeout({ seconds }), query)
        }
        throw signal.reason
      }
      throw reported(lifetime.exceeded ? late(target.timeout, worked(target, started)) : error, query)
    }
  }

  function metadataOf(target: StoreTarget, tenant: TenantId, signal: AbortSignal): Promise<Metadata> {
    const read = async (): Promise<Metadata> => {
      // not as long as one client waits: the others need it, too
      using lifetime = new Deadline(METADATA_TIMEOUT)
      return await openTenant(request, target, tenant, lifetime).metadata()
    }
    return metadataCache.of(`${target.number} ${tenant}`, tenant, read, signal)
  }

  /** What a client caused by what it requests is no failure of the store. */
  function reported(error: unknown, { tenants }: TenantQuery): unknown {
    if (!(error instanceof FedstackError) || error.code === "CANNOT_WRITE") return error
    const fields = { code: error.code.toLowerCase(), tenants: tenants.join(" "), cause: error.message }
    if (!isOfStore(error)) log.info(fields, "the store works, and a request is too much for it or for a limit")
    else {
      metrics.upstreamFailures.inc({ reason: fields.code })
      log.warn(fields, "no whole response of the store")
    }
    return error
  }

  const worked = ({ upstreams }: StoreTarget, since: number): boolean =>
    upstreams.some((one) => health.workedSince(one, since))
  const late = (seconds: number, works: boolean) => (works ? queryTimeout({ seconds }) : storeTimeout({ seconds }))

  return {
    fetch,
    late,
    apply(policy) {
      const { upstreams, accesses, lookBack, timestamps, clients } = policy
      health.keep(upstreams)
      agents.keep(accesses)
      const most = (limit: "upstreamTimeout" | "series"): number =>
        Math.max(...clients.map(({ limits }) => limits[limit]))
      const target: StoreTarget = {
        ...{ upstreams, accesses, lookBack, timestamps, number: ++number },
        ...{ timeout: most("upstreamTimeout"), series: most("series") },
      }
      return {
        query: ({ tenants }, selectors) => ({
          tenants,
          selectors,
          key: [tenants.join(" "), ...selectors.map(printSelector)].join("\n"),
        }),
        request(query, format, last) {
          const gzip = acceptsGzip(format["accept-encoding"])
          const wanted = wantedFormat(format.accept)
          const coding = gzip ? "gzip" : "identity"
          const key = `${target.number} ${coding} ${wanted.kind} ${wanted.escaping}\n${query.key}`
          return last?.key === key ? last : { key, query, target, wanted, gzip }
        },
        workedSince: (since) => worked(target, since),
      }
    },
    close: () => closeAll([writers, agents]),
  }
}

const headersOf = (contentType: string, gzip: boolean): readonly string[] => [
  ...["content-type", contentType, "vary", "Accept, Accept-Encoding"],
  ...(gzip ? ["content-encoding", "gzip"] : []),
]

function onlyOnce(act: () => void): () => void {
  let done = false
  return () => {
    if (!done) act()
    done = true
  }
}
