import type { Choice, Family } from "./family.ts"
import { field, type Json } from "./fields.ts"
import { label } from "./labels.ts"
import type { Kind } from "./kind.ts"

/** A kind as it is served, and which of its families are wanted. */
export interface Exported {
  readonly kind: Kind
  readonly group: string
  readonly families: readonly Family[]
  /** The version in the label `customresource_version`. */
  readonly version: string
}

export interface Rendered {
  /** Lines of text format 0.0.4, by the family in `Exported.families`. */
  readonly texts: readonly string[]
  /** Samples that were left out because one with the same labels stood before them. */
  readonly duplicates: number
}

const [name, namespace] = [field("metadata.name"), field("metadata.namespace")]

/** Renders objects of a kind. What is not as the kind's CRD has it has no sample. */
export function renderer({ kind, group, families, version }: Exported, choice: Choice) {
  const ofKind =
    label("customresource_group", group) +
    label("customresource_kind", kind.kind) +
    label("customresource_version", version)
  const own = Object.entries(kind.labels ?? {}).map(([labelled, path]) => [labelled, field(path)] as const)
  const names = families.map(({ suffix }) => `${kind.prefix}_${suffix}{`)

  return (object: Json): Rendered => {
    const identity =
      (ofKind + label("namespace", namespace(object)) + label("name", name(object))).slice(1) +
      own.map(([labelled, read]) => label(labelled, read(object))).join("")
    let duplicates = 0
    const texts = families.map(({ samples }, index) => {
      const begin = `${names[index]}${identity}`
      const lines: string[] = []
      let first = ""
      let seen: Set<string> | undefined
      const emit = (labels: string, value: number): void => {
        if (lines.length === 0) first = labels
        // most families have one sample of an object
        else if ((seen ??= new Set([first])).has(labels)) return void duplicates++
        else seen.add(labels)
        lines.push(`${begin}${labels}} ${value}\n`)
      }
      samples(object, emit, choice)
      // sorted: controllers write lists in another order each time, and the text stays
      return lines.length > 1 ? lines.toSorted().join("") : (lines[0] ?? "")
    })
    return { texts, duplicates }
  }
}
