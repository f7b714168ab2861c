import type { Registry } from "prom-client"
import type { Context } from "#core/component.ts"
import type { StateFile } from "./accounts/state-file.ts"
import type { DomainFilter } from "./cloud.ts"
import { openDummyCloud } from "./dummy-cloud.ts"
import type { OpenedApis, OpenOptions } from "./openstack/open.ts"
import type { UsageValues } from "./settings.ts"
import type { Pool } from "./simple-vm.ts"
import { openSource, type Source } from "./source.ts"
import type { StartDate } from "./start-date.ts"

/** Finds all regions of all clouds that flags and the environment name. */
export type Connect = (options: OpenOptions) => Promise<OpenedApis>

export interface Shared {
  readonly start: StartDate
  readonly pool: Pool | undefined
  readonly state: StateFile
  readonly registry: Registry
}

export interface Opened {
  readonly sources: readonly Source[]
  readonly close: () => Promise<void>
}

/** Loaded only where it is used. */
export const connectToOpenStack: Connect = async (options) => (await import("./openstack/open.ts")).openApis(options)

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
    const cloud = await openDummyCloud(values.dummyData, { filter, pool, log })
    const source = openSource({ ...shared, key: "dummy", labels: {}, cloud })
    return { sources: [source], close: () => Promise.resolve() }
  }
  const {
    openrc,
    osCloud: clouds,
    osRegionName: regions,
    osTimeout: timeout,
    projectLabels: properties,
    quotaInterval,
  } = values
  const opened = await connect({ env: context.env, openrc, clouds, regions, timeout, registry, log })
  const { openStackSources } = await import("./openstack/sources.ts")
  return {
    sources: openStackSources(opened.apis, { ...shared, filter, properties, quotaInterval }),
    close: () => opened.close(),
  }
}
