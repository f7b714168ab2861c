import { closeAll } from "#core/closable.ts"
import { openClientCredentials } from "#core/http/client-credentials.ts"
import type { Collector, ExporterContext } from "../../collector.ts"
import { createOpaClient } from "./client.ts"
import { collectOpaData } from "./collector.ts"
import { createReader } from "./reader.ts"
import { READ_METHODS } from "./reading.ts"
import { checkOpaData, type OpaDataValues, SCRAPE_TIMEOUT } from "./settings.ts"
import { type OpaTargets, urlTargets } from "./target.ts"

export type OpenTargets = (values: OpaDataValues, context: ExporterContext) => Promise<OpaTargets>

/** Of the interval: a collection that waits for an OPA is over before the next one is to begin. */
const IN_TIME = 0.9

/** Finds OPAs and collects what they hold. */
export async function openOpaData(
  values: OpaDataValues,
  context: ExporterContext,
  open: OpenTargets = openTargets,
): Promise<Collector> {
  const { log, now, registry } = context
  if (values.debug) log.level = "debug"
  const { clusterName, paths } = checkOpaData(values)
  const every = values.collect === "interval" ? values.interval : undefined
  const timeout = Math.min(values.timeout, every === undefined ? SCRAPE_TIMEOUT : IN_TIME * every)
  const credentials = await openClientCredentials({
    token: values.opaTokenFile,
    ca: values.opaCaFile,
    cert: values.opaCertFile,
    key: values.opaKeyFile,
    serverName: values.opaServerName,
    connectTimeout: timeout,
    keepAlive: 2 * values.interval,
    connections: mostOfOneHost(values.opaUrl),
    log,
    registry,
  })
  try {
    const targets = await open(values, context)
    const reader = createReader({
      client: createOpaClient(credentials, values.opaScheme.value),
      paths,
      methods: values.readMethod === "auto" ? READ_METHODS : [values.readMethod],
      packageSegments: values.opaPackage,
      timeout,
      documentLimit: values.documentLimit,
      now,
      identity: () => credentials.current(),
    })
    const collect = collectOpaData({
      clusterName,
      paths,
      targets,
      reader,
      digest: values.digest === "off" ? undefined : values.digest,
      rules: {
        collections: every ?? 1,
        interval: Math.max(values.digestInterval, every ?? 0),
        budget: values.digestBudget,
      },
      timeout,
      log,
      now,
    })
    return {
      collect,
      every,
      maxAge: 3 * (values.interval + values.timeout),
      notReady: () => (targets.current().length > 0 ? undefined : targets.problem()),
      reload: () => credentials.reload(),
      close: () => closeAll([targets, credentials]),
    }
  } catch (error) {
    await credentials.close()
    throw error
  }
}

/** How many OPAs stand behind one address, as they do behind a reverse proxy. */
function mostOfOneHost(urls: readonly URL[]): number {
  return Math.max(
    1,
    ...Map.groupBy(urls, ({ host }) => host)
      .values()
      .map(({ length }) => length),
  )
}

async function openTargets(values: OpaDataValues, { env, log, signal }: ExporterContext): Promise<OpaTargets> {
  const { opaUrl, opaNamespace: namespace } = values
  const services = values.opaService.flat()
  if (opaUrl.length > 0) return urlTargets(opaUrl, namespace, services.join(","))
  const { kubernetesTargets } = await import("./kubernetes/targets.ts") // much to load, and needed only here
  const { kubeconfig, context, opaSelector: selector, opaPort: port } = values
  return kubernetesTargets({ kubeconfig, context, namespace, services, selector, port, env, log, signal })
}
