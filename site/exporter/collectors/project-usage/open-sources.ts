import type { ExporterContext } from "../../collector.ts"
import type { StateFile } from "./accounts/state-file.ts"
import { openDummyCloud } from "./dummy-cloud.ts"
import { distinguishingLabels } from "./openstack/api.ts"
import type { openApis } from "./openstack/open.ts"
import type { UsageValues } from "./settings.ts"
import type { Pool } from "./simple-vm.ts"
import type { UsageSource } from "./update.ts"

export type Connect = typeof openApis

/** The dummy cloud where a file is given, else each region of the OpenStack clouds of the environment. */
export async function openSources(
  values: UsageValues,
  { env, now, log, registry, signal }: ExporterContext,
  { pool, state }: { readonly pool: Pool | undefined; readonly state: StateFile },
  connect: Connect | undefined,
): Promise<{ readonly sources: readonly UsageSource[]; readonly close: () => Promise<void> }> {
  const filter = { id: values.domainId === "" ? undefined : values.domainId, names: values.domain }
  if (values.dummyData !== undefined) {
    const cloud = await openDummyCloud(values.dummyData, { filter, pool, signal })
    return { sources: [{ key: "dummy", labels: {}, cloud }], close: () => Promise.resolve() }
  }
  const { openrc, osCloud: clouds, osRegionName: regions, osTimeout: timeout } = values
  const { projectLabels: properties, quotaInterval } = values
  const open = connect ?? (await import("./openstack/open.ts")).openApis
  const { apis, close } = await open({ env, openrc, clouds, regions, timeout, registry, log })
  if (!state.isPersistent)
    log.warn(
      "no --state-file: a restart forgets the usage of pool servers that are deleted, and what else the cloud has forgotten",
    )
  const [{ openStackCloud }, { rememberTags }] = await Promise.all([
    import("./openstack/cloud.ts"),
    import("./openstack/pool-tags.ts"),
  ])
  const labels = distinguishingLabels(apis)
  const sources = apis.map((api, index): UsageSource => {
    const own = labels[index] ?? {}
    const key = `${api.cloud ?? ""}/${api.region ?? ""}`
    const tags = rememberTags(state.of(key).tags, { now, log })
    const cloud = openStackCloud(api, { labels: own, filter, pool, tags, properties, quotaInterval, now, log })
    return { key, labels: own, cloud, tags: () => tags.all() }
  })
  return { sources, close }
}
