import { setFlagsFromString } from "node:v8"
import type { Registry } from "prom-client"
import { closeAll, component, type Context } from "#core/component.ts"
import { UsageError } from "#core/errors.ts"
import { createRegistry } from "#core/metrics.ts"
import type { Serving } from "#core/server.ts"
import type { Collector } from "../../collector.ts"
import { startRunner } from "../../runner.ts"
import { serveRunner } from "../../serve.ts"
import type { Cloud } from "./cloud.ts"
import { openDummyCloud } from "./dummy-cloud.ts"
import { usageFamilies } from "./families.ts"
import { addressesOf, maxAgeOf, usageSettings, type UsageValues } from "./settings.ts"
import { type Pool, splitPool } from "./simple-vm.ts"
import { type StartDate, startFromEndpoint, startOfMonth } from "./start-date.ts"
import { noWeights, refreshed, weightsFromEndpoint, weightsFromFile, type WeightSource } from "./weight-source.ts"

/** Seconds that the first scrape waits for the first update: less than the 10 s that Prometheus gives a scrape. */
const PATIENCE = 8

export const command = component({ settings: usageSettings, run: startProjectUsage })

/** Starts the exporter. Throws UsageError and ConfigurationError for what can't work from the beginning. */
export async function startProjectUsage(values: UsageValues, context: Context): Promise<Serving> {
  // a large cloud's update makes much garbage that is soon gone: collect it rather than grow (half the memory, same speed)
  setFlagsFromString("--optimize-for-size")
  const { log, now } = context
  if (values.verbose) log.level = "debug"
  const addresses = addressesOf(values)
  const maxAge = maxAgeOf(values)
  const registry = createRegistry()
  const cloud = await openCloud(values, context)
  const start = startDateOf(values, context)
  const weights = await openWeights(values, context, registry)
  const collector = projectUsage({ cloud, start, weights, pool: poolOf(values), now })

  const runner = startRunner(collector, { every: values.updateInterval, maxAge, patience: PATIENCE, log, now })
  try {
    const flag = values.port === undefined ? "--web.listen-address" : "--port"
    const serving = await serveRunner(runner, registry, { addresses, flag, webConfigFile: values.webConfigFile, log })
    return {
      addresses: serving.addresses,
      close: () => closeAll([serving, runner]),
      async reload() {
        await serving.reload()
        await runner.run()
      },
    }
  } catch (error) {
    await runner.close()
    throw error
  }
}

interface Sources {
  readonly cloud: Cloud
  readonly start: StartDate
  readonly weights: WeightSource
  readonly pool: Pool | undefined
  readonly now: () => Date
}

function projectUsage({ cloud, start, weights, pool, now }: Sources): Collector {
  return {
    name: "project-usage",
    async collect(signal) {
      const end = now()
      const period = { start: await start(end, signal), end }
      const weightsInUse = await weights(signal)
      const projects = await cloud.usage(period, signal)
      return usageFamilies(splitPool(projects, pool), weightsInUse, period.start)
    },
  }
}

function openCloud({ dummyData, domain, domainId }: UsageValues, { log }: Context): Promise<Cloud> {
  if (dummyData === undefined) {
    const message =
      "is needed, a TOML file with a fake cloud (or USAGE_EXPORTER_DUMMY_FILE): a real OpenStack can't be read yet"
    throw new UsageError([{ where: "--dummy-data", message }])
  }
  return openDummyCloud(dummyData, { id: domainId === "" ? undefined : domainId, names: domain }, log)
}

function startDateOf(values: UsageValues, { log, now }: Context): StartDate {
  const { start, startDateEndpoint, endpointTimeout } = values
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
