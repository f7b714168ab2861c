import { setFlagsFromString } from "node:v8"
import { Gauge, type Registry } from "prom-client"
import { closeAll } from "#core/closable.ts"
import { component, type Context } from "#core/component.ts"
import { explain, UsageError } from "#core/errors.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import type { Serving } from "#core/http/server.ts"
import { type Collector, SomeFailed } from "../../collector.ts"
import { startRunner } from "../../runner.ts"
import { serveRunner } from "../../serve.ts"
import { openStateFile, type StateFile } from "./accounts/state-file.ts"
import { type FamilyOptions, usageFamilies } from "./families.ts"
import { type Connect, connectToOpenStack, openSources } from "./open-sources.ts"
import { createUsageMetrics } from "./metrics.ts"
import { addressesOf, maxAgeOf, usageSettings, type UsageValues } from "./settings.ts"
import type { Pool } from "./simple-vm.ts"
import { updateAll } from "./update.ts"
import { type StartDate, startFromEndpoint, startOfMonth } from "./start-date.ts"
import { noWeights, refreshed, weightsFromEndpoint, weightsFromFile, type WeightSource } from "./weight-source.ts"

/** Seconds that the first scrape waits for the first update: less than the 10 s that Prometheus gives a scrape. */
const PATIENCE = 8

export const command = component({
  settings: usageSettings,
  run: (values, context) => startProjectUsage(values, context),
})

/** Starts the exporter. Throws UsageError and ConfigurationError for what can't work from the beginning. */
export async function startProjectUsage(
  values: UsageValues,
  context: Context,
  connect: Connect = connectToOpenStack,
): Promise<Serving> {
  // a large cloud's update makes much garbage that is soon gone: collect it rather than grow (half the memory, same speed)
  setFlagsFromString("--optimize-for-size")
  const { log, now } = context
  if (values.verbose) log.level = "debug"
  const addresses = addressesOf(values)
  const maxAge = maxAgeOf(values)
  const registry = createRegistry()
  const pool = poolOf(values)
  const state = await openStateFile(values.stateFile, { log, registry, pool: pool?.projectId })
  const shared = { start: startDateOf(values, context, registry), pool, state, registry }
  const weights = await openWeights(values, context, registry)
  const { sources, close } = await openSources(values, context, shared, connect)
  const metrics = createUsageMetrics(registry, Object.keys(sources[0]?.labels ?? {}))
  const update = updateAll(sources, { maxAge, now, metrics })
  const families = { inUse: values.inUse, properties: values.projectLabels }
  const collector = projectUsage({ update, weights, state, families })

  const runner = startRunner(collector, { every: values.updateInterval, maxAge, patience: PATIENCE, log, now })
  try {
    const flag = values.port === undefined ? "--web.listen-address" : "--port"
    const serving = await serveRunner(runner, registry, { addresses, flag, webConfigFile: values.webConfigFile, log })
    return {
      addresses: serving.addresses,
      // the runner first: scrapes that wait for it are then answered
      close: () => closeAll([runner, serving, { close }]),
      async reload() {
        await serving.reload()
        await runner.run()
      },
    }
  } catch (error) {
    await closeAll([runner, { close }])
    throw error
  }
}

interface Parts {
  readonly update: ReturnType<typeof updateAll>
  readonly weights: WeightSource
  readonly state: StateFile
  readonly families: FamilyOptions
}

function projectUsage({ update, weights, state, families }: Parts): Collector {
  return {
    name: "project-usage",
    async collect(signal) {
      const { clouds, failure, anyRead } = await update(await weights(signal), signal)
      if (anyRead) await state.save()
      if (failure === undefined) return usageFamilies(clouds, families)
      if (clouds.length === 0) throw failure
      throw new SomeFailed(explain(failure), usageFamilies(clouds, families), { cause: failure, anyRead })
    },
  }
}

function startDateOf(values: UsageValues, { log, now }: Context, registry: Registry): StartDate {
  const { start, startDateEndpoint, endpointTimeout } = values
  const help = "1 if a start date is configured, 0 if usage begins anew with every month."
  const configured = new Gauge({ name: "fedstack_project_usage_start_configured", help, registers: [registry] })
  configured.set(start !== undefined || startDateEndpoint !== undefined ? 1 : 0)
  if (startDateEndpoint !== undefined) return startFromEndpoint({ url: startDateEndpoint, timeout: endpointTimeout })
  if (start === undefined) {
    log.warn(
      "no start date: usage is counted since the first of each month (UTC). Set --start or --start-date-endpoint",
    )
    return startOfMonth
  }
  if (start > now()) throw new UsageError([{ where: "--start", message: `${start.toISOString()} is in the future` }])
  return () => Promise.resolve(start)
}

async function openWeights(values: UsageValues, { log, now }: Context, registry: Registry): Promise<WeightSource> {
  const {
    dummyWeights: file,
    weightUpdateEndpoint: url,
    weightUpdateFrequency: every,
    endpointTimeout: timeout,
  } = values
  if (file !== undefined) {
    if (url !== undefined) log.warn("--dummy-weights is set: --weight-update-endpoint is not asked")
    await weightsFromFile(file) // a wrong file is told at the start
    return refreshed(() => weightsFromFile(file), { every, registry, log, now })
  }
  if (url === undefined) return noWeights
  return refreshed((signal) => weightsFromEndpoint({ url, timeout }, signal), { every, registry, log, now })
}

function poolOf({ simpleVmId, simpleVmTag }: UsageValues): Pool | undefined {
  return simpleVmId === undefined || simpleVmId === "" ? undefined : { projectId: simpleVmId, tag: simpleVmTag }
}
