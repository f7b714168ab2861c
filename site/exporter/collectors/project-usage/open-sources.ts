import type { Registry } from "prom-client"
import type { Context } from "#core/component.ts"
import { UsageError } from "#core/errors.ts"
import type { StateFile } from "./accounts/state-file.ts"
import type { DomainFilter } from "./cloud.ts"
import { openDummyCloud } from "./dummy-cloud.ts"
import { createUsageMetrics, type UsageMetrics } from "./metrics.ts"
import type { Api } from "./openstack/api.ts"
import type { UsageValues } from "./settings.ts"
import type { Pool } from "./simple-vm.ts"
import { openSource, type Source } from "./source.ts"
import type { StartDate } from "./start-date.ts"

/** Signs in to all regions and clouds that the environment names. */
export type Connect = (context: Context) => Promise<readonly Api[]>

export interface Shared {
  readonly start: StartDate
  readonly pool: Pool | undefined
  readonly state: StateFile
  readonly registry: Registry
}

export interface Opened {
  readonly sources: readonly Source[]
  readonly metrics: UsageMetrics
}

export const connectToOpenStack: Connect = () => {
  const message =
    "is needed, a TOML file with a fake cloud (or USAGE_EXPORTER_DUMMY_FILE): a real OpenStack can't be read yet"
  throw new UsageError([{ where: "--dummy-data", message }])
}

/** The dummy cloud where a file is given, else the OpenStack of the environment. */
export async function openSources(
  values: UsageValues,
  context: Context,
  { start, pool, state, registry }: Shared,
  connect: Connect,
): Promise<Opened> {
  const { now, log } = context
  const filter: DomainFilter = { id: values.domainId === "" ? undefined : values.domainId, names: values.domain }
  const shared = { start, pool, state, months: values.usageMonths, now, log }
  if (values.dummyData !== undefined) {
    const metrics = createUsageMetrics(registry, [])
    const cloud = await openDummyCloud(values.dummyData, filter, log)
    return { metrics, sources: [openSource({ ...shared, key: "dummy", labels: {}, cloud, metrics })] }
  }
  const { openStackSources } = await import("./openstack/sources.ts")
  return openStackSources(await connect(context), { ...shared, filter, registry, properties: values.projectLabels })
}
