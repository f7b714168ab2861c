import type { DomainFilter } from "../cloud.ts"
import { openSource, type Source, type SourceOptions } from "../source.ts"
import type { Api } from "./api.ts"
import { openStackCloud } from "./cloud.ts"
import { rememberTags } from "./tags.ts"
import { tellApart } from "./tell-apart.ts"

export interface OpenStackSourcesOptions extends Omit<SourceOptions, "key" | "labels" | "cloud" | "tags"> {
  readonly filter: DomainFilter
  /** Tags and properties of projects that are shown. */
  readonly properties: readonly string[]
  /** Seconds from one reading of quotas to the next; undefined: they are not read. */
  readonly quotaInterval?: number | undefined
  /** Servers on a page of Nova's lists. */
  readonly limit?: number
}

/** A source for each region of each cloud. */
export function openStackSources(apis: readonly Api[], options: OpenStackSourcesOptions): readonly Source[] {
  const labels = tellApart(apis)
  if (!options.state.lasts)
    options.log.warn(
      "no --state-file: a restart forgets the usage of pool servers that are deleted, and what else the cloud has forgotten",
    )
  return apis.map((api, index) => {
    const own = labels[index] ?? {}
    const key = `${api.cloud ?? ""}/${api.region ?? ""}`
    const tags = rememberTags(options.state.of(key).tags, options)
    const cloud = openStackCloud(api, { ...options, labels: own, tags })
    return openSource({ ...options, key, labels: own, cloud, tags: () => tags.all() })
  })
}
