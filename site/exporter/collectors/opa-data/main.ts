import { setFlagsFromString } from "node:v8"
import { type Closable, closeAll } from "#core/closable.ts"
import { component, type Context } from "#core/component.ts"
import { defineError } from "#core/errors.ts"
import { encode } from "#core/metrics/exposition.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import type { Registry } from "prom-client"
import type { Serving } from "#core/http/server.ts"
import { startRunner } from "../../runner.ts"
import { serveRunner } from "../../serve.ts"
import { createClient } from "./client.ts"
import { collectionTime } from "./collection-time.ts"
import { opaData, type OpaDataCollector } from "./collector.ts"
import { type Credentials, openCredentials } from "./credentials.ts"
import { createDigests } from "./digests.ts"
import { type Counted, countedPaths } from "./paths.ts"
import { createReader } from "./reader.ts"
import { WAYS } from "./reading.ts"
import { countPackage } from "./rego.ts"
import { addressesOf, checkOpaData, checkPaths } from "./check-settings.ts"
import { opaDataSettings, type OpaDataValues, SCRAPE_TIMEOUT } from "./settings.ts"
import type { Targets } from "./target.ts"
import { urlTargets } from "./url-targets.ts"

const notAllRead = defineError("NOT_ALL_READ", 500, "Not everything could be read. {problems}")

/** Seconds that a scrape waits for a collection: less than the 10 s that Prometheus gives it. */
const PATIENCE = 9

/** Of the interval: a collection that waits for an OPA is over before the next one is to begin. */
const IN_TIME = 0.9

export const command = component({
  settings: opaDataSettings,
  once: ({ single }) => single,
  run: async (values, context) => {
    if (values.printPackage) {
      checkPaths(values)
      context.print(countPackage(pathsOf(values), values.opaPackage))
      return undefined
    }
    return values.single ? printOpaData(values, context) : startOpaData(values, context, openTargets)
  },
})

/** Starts the exporter. Throws UsageError and ConfigurationError for what can't work from the beginning. */
export async function startOpaData(
  values: OpaDataValues,
  context: Context,
  open: (values: OpaDataValues, context: Context) => Promise<Targets>,
): Promise<Serving> {
  const { log, now } = context
  // a collection makes garbage that is soon gone: collect it rather than grow
  setFlagsFromString("--optimize-for-size")
  if (values.debug) log.level = "debug"
  const addresses = addressesOf(values)
  const registry = createRegistry()
  const { collector, targets, credentials } = await openCollector(values, context, registry, open)
  const every = values.collect === "interval" ? values.interval : undefined
  const runner = startRunner(collector, {
    ...(every === undefined ? {} : { every }),
    maxAge: 3 * (values.interval + values.timeout),
    patience: PATIENCE,
    log,
    now,
  })
  const closing: Closable = { close: () => closeAll([runner, targets, credentials]) }
  try {
    const serving = await serveRunner(
      {
        ...runner,
        notReady: () => runner.notReady() ?? (targets.current().length > 0 ? undefined : targets.problem()),
      },
      registry,
      {
        addresses,
        flag: values.prometheusPort === undefined ? "--web.listen-address" : "--prometheus-port",
        webConfigFile: values.webConfigFile,
        log,
      },
    )
    return {
      addresses: serving.addresses,
      // the runner first: scrapes that wait for it are then answered
      close: () => closeAll([runner, serving, closing]),
      async reload() {
        await serving.reload()
        await credentials.reload()
        await runner.run()
      },
    }
  } catch (error) {
    await closing.close()
    throw error
  }
}

/** One collection as text. Throws NOT_ALL_READ after it is printed, where something is missing in it. */
async function printOpaData(values: OpaDataValues, context: Context): Promise<undefined> {
  const { collector, targets, credentials } = await openCollector(values, context, createRegistry(), openTargets)
  try {
    context.print(encode(await collector.collect(context.signal)))
  } finally {
    await closeAll([targets, credentials])
  }
  const problems = collector.problems()
  if (problems.length > 0) throw notAllRead({ problems: problems.join("; ") })
}

const pathsOf = ({ opaClusterData, opaNamespacedData }: OpaDataValues): readonly Counted[] =>
  countedPaths(opaClusterData.flat(), opaNamespacedData.flat())

interface Parts {
  readonly collector: OpaDataCollector
  readonly targets: Targets
  readonly credentials: Credentials
}

async function openCollector(
  values: OpaDataValues,
  context: Context,
  registry: Registry,
  open: (values: OpaDataValues, context: Context) => Promise<Targets>,
): Promise<Parts> {
  const { log, now } = context
  const { clusterName } = checkOpaData(values)
  const timeout = Math.min(values.timeout, values.collect === "scrape" ? SCRAPE_TIMEOUT : IN_TIME * values.interval)
  const paths = pathsOf(values)
  const credentials = await openCredentials({
    tokenFile: values.opaTokenFile,
    caFile: values.opaCaFile,
    certFile: values.opaCertFile,
    keyFile: values.opaKeyFile,
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
      client: createClient(credentials, values.opaScheme),
      paths,
      ways: values.way === "auto" ? WAYS : [values.way],
      packageSegments: values.opaPackage,
      timeout,
      documentLimit: values.documentLimit,
      now,
      identity: () => credentials.current(),
    })
    const collector = opaData({
      clusterName,
      paths,
      targets,
      reader,
      digest: values.digest === "off" ? undefined : values.digest,
      digests: createDigests({
        collections: values.collect === "interval" ? values.interval : 1,
        interval: Math.max(values.digestInterval, values.collect === "interval" ? values.interval : 0),
        budget: values.digestBudget,
      }),
      time: collectionTime(clusterName, now()),
      patience: timeout,
      log,
      now,
    })
    return { collector, targets, credentials }
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

export async function openTargets(values: OpaDataValues, { env, log, signal }: Context): Promise<Targets> {
  const { opaUrl, opaNamespace: namespace } = values
  const services = values.opaService.flat()
  if (opaUrl.length > 0) return urlTargets(opaUrl, namespace, services.join(","))
  const { kubernetesTargets } = await import("./kubernetes/targets.ts") // much to load, and needed only here
  const { kubeconfig, context, opaSelector: selector, opaPort: port } = values
  return kubernetesTargets({ kubeconfig, context, namespace, services, selector, port, env, log, signal })
}
