import type { Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { readTlsFiles, tlsAgents } from "#core/http/tls-files.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Labels } from "#core/metrics/exposition.ts"
import type { Logger } from "#core/log/logger.ts"
import { accessOf, inDomain } from "./access.ts"
import { type Api, distinguishingLabels } from "./api.ts"
import type { ServiceEndpoints } from "./catalog.ts"
import { openApi } from "./client.ts"
import { createRequestMetrics } from "./request-metrics.ts"
import { openSession, type Session } from "./session.ts"
import { type CloudRegion, ignoredVariables, type RegionOptions, regionsOf } from "./regions.ts"

/** To each service. */
const CONNECTIONS = 8
const TLS_SETTINGS = { ca: "OS_CACERT", cert: "OS_CERT", key: "OS_KEY" }

export interface OpenOptions extends RegionOptions {
  /** Seconds for a request. */
  readonly timeout: number
  /** Of a clock that only goes forward: another than the process's own in tests. */
  readonly milliseconds?: () => number
  readonly registry: Registry
  readonly log: Logger
}

/**
 * Every region of every cloud that flags, variables and clouds.yaml name, each an API that signs in at its first request.
 * Throws ConfigurationError if there is none, or something is missing or wrong; no request is sent yet.
 */
export async function openApis(
  options: OpenOptions,
): Promise<{ readonly apis: readonly Api[]; readonly close: () => Promise<void> }> {
  const regions = await regionsOf(options)
  const variables = ignoredVariables(options)
  if (variables.length > 0)
    options.log.warn(
      { variables },
      "these variables of the environment are not used: --openrc names a file, which is used alone",
    )
  const labels = distinguishingLabels(regions)
  const metricsOf = createRequestMetrics(options.registry, Object.keys(labels[0] ?? {}))
  const opened: Closable[] = []
  const close = async (): Promise<void> => void (await Promise.all(opened.map((agents) => agents.close())))
  const openRegion = async (region: CloudRegion, own: Labels): Promise<Api> => {
    const agents = tlsAgents({ connections: CONNECTIONS })
    opened.push(agents)
    const readAccess = async () => {
      const access = accessOf(await region.settings(), region.region)
      return { access, dispatcher: agents.open(readTlsFiles(access.tls, TLS_SETTINGS)) }
    }
    const { insecure, authUrl } = (await readAccess()).access
    if (insecure && authUrl.startsWith("https:"))
      options.log.warn(
        own,
        "certificates are verified although OS_INSECURE or verify is set. Set OS_CACERT to the authority's file",
      )
    const shared = { timeout: options.timeout, metrics: metricsOf(own) }
    const { milliseconds = () => performance.now() } = options
    const sessions = { ...shared, milliseconds }
    const configured = openSession({ ...sessions, access: readAccess, signedIn: choiceLog(options.log, own) })
    const domains = new Map<string, Session>()
    const openDomain = (id: string): Session => {
      const access = async () => {
        const read = await readAccess()
        return { ...read, access: inDomain(read.access, id) }
      }
      const session = openSession({ ...sessions, access, signedIn: () => undefined })
      domains.set(id, session)
      return session
    }
    const sessionOf = (domain: string | undefined): Session =>
      domain === undefined ? configured : (domains.get(domain) ?? openDomain(domain))
    return openApi({ ...region, ...shared, sessionOf })
  }
  try {
    const apis: Api[] = []
    for (const [index, region] of regions.entries()) apis.push(await openRegion(region, labels[index] ?? {}))
    return { apis, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Warns once of regions of which the first was chosen. */
function choiceLog(log: Logger, labels: Labels): (endpoints: ServiceEndpoints) => void {
  const logChoice = logChanges<boolean, [regions: readonly string[]]>((_, regions) =>
    log.warn(
      { ...labels, regions, chosen: regions[0] },
      "the cloud has several regions, and usage of the first is read. Set OS_REGION_NAME, to several separated by commas if all are wanted",
    ),
  )
  return ({ choice }) => choice.length > 0 && logChoice(true, choice)
}
