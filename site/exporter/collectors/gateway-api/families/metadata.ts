import { type Family, single } from "../family.ts"
import { entries, field, unixSeconds } from "../fields.ts"
import { label, labelName } from "../labels.ts"

const labels = field("metadata.labels")
const created = field("metadata.creationTimestamp")
const deleted = field("metadata.deletionTimestamp")

/** Names that belong to the object and its kind, and are never those of its Kubernetes labels. */
const IDENTITY = ["name", "namespace", "customresource_group", "customresource_kind", "customresource_version"]

export const createdFamily: Family = single("created", "When the object was created, in Unix time.", (object) =>
  unixSeconds(created(object)),
)

/** Of the kinds of Gateway API: `_deleted` is 0 while the object lives. */
export const metadata: readonly Family[] = metadataWith(0)

/** Of Kuadrant's policies: `_deleted` has no sample while the object lives. */
export const kuadrantMetadata: readonly Family[] = metadataWith(undefined)

function metadataWith(alive: 0 | undefined): readonly Family[] {
  return [
    {
      suffix: "labels",
      help: "Kubernetes labels of the object. Keys that would become a label name that is taken get the suffix _conflictN.",
      samples(object, emit, { labelAllowed }) {
        const taken = new Set(IDENTITY)
        // sorted: names that are alike get the same suffixes at each reading
        const allowed = entries(labels(object))
          .filter(([key]) => labelAllowed(key))
          .toSorted(byKey)
        const text = allowed.map(([key, value]) => label(unused(labelName(key), taken), value)).join("")
        // a label without a value marks the object, and is a label all the same
        if (allowed.length > 0) emit(text, 1)
      },
    },
    createdFamily,
    single(
      "deleted",
      "When the deletion of the object was requested, in Unix time; 0 or no sample while it was not.",
      (object) => unixSeconds(deleted(object)) ?? alive,
    ),
  ]
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

function unused(name: string, taken: Set<string>): string {
  let [free, number] = [name, 0]
  while (taken.has(free)) free = `${name}_conflict${++number}`
  taken.add(free)
  return free
}
