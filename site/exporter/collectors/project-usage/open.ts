import { Gauge } from "prom-client"
import { UsageError } from "#core/errors.ts"
import type { Collector, ExporterContext } from "../../collector.ts"
import { openStateFile } from "./accounts/state-file.ts"
import { usageFamilies } from "./families.ts"
import { createUsageMetrics } from "./metrics.ts"
import { type Connect, openSources } from "./open-sources.ts"
import { maxAgeOf, type UsageValues } from "./settings.ts"
import { type StartDate, startFromEndpoint, startOfMonth } from "./start-date.ts"
import { updateAll } from "./update.ts"
import { noWeights, refreshed, weightsFromEndpoint, weightsFromFile, type WeightSource } from "./weight-source.ts"

/** The collector, of the clouds that `connect` opens. Throws UsageError and ConfigurationError for what cannot work. */
export async function openProjectUsage(
  values: UsageValues,
  context: ExporterContext,
  connect?: Connect,
): Promise<Collector> {
  const { log, now, registry } = context
  if (values.verbose) log.level = "debug"
  const maxAge = maxAgeOf(values)
  const { simpleVmId, simpleVmTag: tag, usageMonths: months } = values
  const pool = simpleVmId === undefined || simpleVmId === "" ? undefined : { projectId: simpleVmId, tag }
  const state = await openStateFile(values.stateFile, { log, registry, pool: pool?.projectId })
  const start = startDateOf(values, context)
  const weights = await openWeights(values, context)
  const { sources, close } = await openSources(values, context, { pool, state }, connect)
  const metrics = createUsageMetrics(registry, Object.keys(sources[0]?.labels ?? {}))
  const update = updateAll(sources, { start, pool, months, state, maxAge, now, log, metrics })
  const families = { inUse: values.inUse, properties: values.projectLabels }
  return {
    every: values.updateInterval,
    maxAge,
    close,
    async collect(signal) {
      const { clouds, missing, anyRead } = await update(await weights(signal), signal)
      const outdatedWeights = weights.failure?.()
      if (outdatedWeights !== undefined) missing.set("weights", outdatedWeights)
      if (anyRead) await state.save()
      return {
        families: clouds.length === 0 ? undefined : usageFamilies(clouds, families),
        missing,
        outdated: !anyRead,
      }
    },
  }
}

function startDateOf(values: UsageValues, { log, now, registry }: ExporterContext): StartDate {
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

async function openWeights(values: UsageValues, { log, now, registry }: ExporterContext): Promise<WeightSource> {
  const { dummyWeights: file, weightUpdateEndpoint: url, endpointTimeout: timeout } = values
  const options = { every: values.weightUpdateFrequency, registry, log, now }
  if (file !== undefined) {
    if (url !== undefined) log.warn("--dummy-weights is set: --weight-update-endpoint is not read")
    await weightsFromFile(file) // a wrong file ends the start
    return refreshed(() => weightsFromFile(file), options)
  }
  if (url === undefined) return noWeights
  return refreshed((signal) => weightsFromEndpoint({ url, timeout }, signal), options)
}
