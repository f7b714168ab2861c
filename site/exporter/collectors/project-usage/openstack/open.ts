import type { Registry } from "prom-client"
import { readTlsFiles, type TlsAgents, tlsAgents } from "#core/http/tls-files.ts"
import type { Labels } from "#core/metrics/exposition.ts"
import type { Logger } from "#core/log/logger.ts"
import { type Access, accessOf } from "./access.ts"
import { type Api, distinguishingLabels } from "./api.ts"
import { openApi } from "./client.ts"
import { createRequestMetrics, type RequestMetrics } from "./request-metrics.ts"
import { openSession } from "./session.ts"
import { type CloudRegion, type RegionOptions, regionsOf } from "./regions.ts"

/** To each service. */
const CONNECTIONS = 8
const TLS_SETTINGS = { ca: "OS_CACERT", cert: "OS_CERT", key: "OS_KEY" }

export interface OpenOptions extends RegionOptions {
  /** Seconds for a request. */
  readonly timeout: number
  readonly registry: Registry
  readonly log: Logger
}

export interface OpenedApis {
  readonly apis: readonly Api[]
  readonly close: () => Promise<void>
}

/**
 * Every region of every cloud that flags, variables and clouds.yaml name, each an API that signs in at its first request.
 * Throws ConfigurationError if there is none, or something is missing or wrong; no request is sent yet.
 */
export async function openApis(options: OpenOptions): Promise<OpenedApis> {
  const regions = await regionsOf(options)
  const labels = distinguishingLabels(regions)
  const metricsOf = createRequestMetrics(options.registry, Object.keys(labels[0] ?? {}))
  const connections: TlsAgents[] = []
  const apis: Api[] = []
  const close = async (): Promise<void> => void (await Promise.all(connections.map((one) => one.close())))
  try {
    for (const [index, region] of regions.entries()) {
      const own = labels[index] ?? {}
      const kept = tlsAgents({ connections: CONNECTIONS })
      connections.push(kept)
      apis.push(await open(region, { labels: own, connections: kept, metrics: metricsOf(own) }, options))
    }
  } catch (error) {
    await close()
    throw error
  }
  return { apis, close }
}

interface Parts {
  readonly labels: Labels
  readonly connections: TlsAgents
  readonly metrics: RequestMetrics
}

async function open(
  { cloud, region, settings }: CloudRegion,
  { labels, connections, metrics }: Parts,
  { timeout, log }: OpenOptions,
): Promise<Api> {
  const access = async () => {
    const read = accessOf(await settings(), region)
    return { access: read, dispatcher: connections.open(readTlsFiles(read.tls, TLS_SETTINGS)) }
  }
  warnOf((await access()).access, log, labels)
  let warned = false
  const session = openSession({
    access,
    timeout,
    metrics,
    signedIn({ choice }) {
      if (choice.length === 0 || warned) return
      warned = true
      log.warn(
        { ...labels, regions: choice, taken: choice[0] },
        "the cloud has several regions, and usage of the first is read. Set OS_REGION_NAME, to several separated by commas if all are wanted",
      )
    },
  })
  return openApi({ cloud, region, session, metrics, timeout })
}

function warnOf({ insecure, authUrl }: Access, log: Logger, labels: Labels): void {
  if (insecure && authUrl.startsWith("https:"))
    log.warn(
      labels,
      "certificates are verified although OS_INSECURE or verify is set. Set OS_CACERT to the authority's file",
    )
}
