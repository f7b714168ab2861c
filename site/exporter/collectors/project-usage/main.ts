import { Gauge, type Registry } from "prom-client"
import type { Context } from "#core/component.ts"
import { UsageError } from "#core/errors.ts"
import type { Collector, ExporterContext } from "../../collector.ts"
import { exporter } from "../../exporter.ts"
import { openStateFile } from "./accounts/state-file.ts"
import { usageFamilies } from "./families.ts"
import { type Connect, connectToOpenStack, openSources } from "./open-sources.ts"
import { createUsageMetrics } from "./metrics.ts"
import { maxAgeOf, usageSettings, type UsageValues } from "./settings.ts"
import type { Pool } from "./simple-vm.ts"
import { updateAll } from "./update.ts"
import { type StartDate, startFromEndpoint, startOfMonth } from "./start-date.ts"
import { noWeights, refreshed, weightsFromEndpoint, weightsFromFile, type WeightSource } from "./weight-source.ts"

/** The exporter, with the clouds that `connect` opens. */
export const projectUsage = (connect: Connect) =>
  exporter({
    name: "project-usage",
    settings: usageSettings,
    port: 8080,
    portFlag: { flag: "-p, --port <port>" },
    open: (values, context) => openProjectUsage(values, context, connect),
  })

export const command = projectUsage(connectToOpenStack)

async function openProjectUsage(values: UsageValues, context: ExporterContext, connect: Connect): Promise<Collector> {
  const { log, now, registry } = context
  if (values.verbose) log.level = "debug"
  const maxAge = maxAgeOf(values)
  const pool = poolOf(values)
  const state = await openStateFile(values.stateFile, { log, registry, pool: pool?.projectId })
  const shared = { start: startDateOf(values, context, registry), pool, state, registry }
  const weights = await openWeights(values, context, registry)
  const { sources, close } = await openSources(values, context, shared, connect)
  const metrics = createUsageMetrics(registry, Object.keys(sources[0]?.labels ?? {}))
  const update = updateAll(sources, { maxAge, now, metrics })
  const families = { inUse: values.inUse, properties: values.projectLabels }
  return {
    every: values.updateInterval,
    maxAge,
    close,
    async collect(signal) {
      const { clouds, missing } = await update(await weights(signal), signal)
      const outdated = missing.size === sources.length
      if (!outdated) await state.save()
      return { families: clouds.length === 0 ? undefined : usageFamilies(clouds, families), missing, outdated }
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
