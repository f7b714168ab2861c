import type { RuleResource } from "./rule-resource.ts"

/** The resources as they are known now, the input of a cycle. */
export interface ResourceSnapshot {
  /** By namespace/name; the last known ones of a namespace that cannot be read now. */
  readonly resources: ReadonlyMap<string, RuleResource>
  /** Why resources may be missing here or outdated, by namespace, "" for all of them; empty where the source is whole. */
  readonly incomplete: ReadonlyMap<string, string>
  /** Deleted ones with a finalizer of ours in namespaces that are not selected, by now or ever. */
  readonly outside?: ReadonlyMap<string, RuleResource>
  /** By namespace that is not selected by now, its resources with a finalizer of ours. */
  readonly left?: ReadonlyMap<string, readonly RuleResource[]>
}

/** Where the updater and the tracker have the resources from. */
export interface ResourceSource {
  snapshot(): ResourceSnapshot
  /** Called after changes that matter, so not after those of our own statuses; returns what ends that. */
  onChange(listener: () => void): () => void
}
