import { elements, field, type Json, scalar } from "./fields.ts"
import { label } from "./labels.ts"

/** Takes the labels of one sample beside the object's identity, as `label` writes them, and its value. */
export type Emit = (labels: string, value: number) => void

/** What a user chose of what can be rendered. */
export interface Choice {
  /** Whether a Kubernetes label, by its key, becomes one of `…_labels`. */
  readonly labelAllowed: (key: string) => boolean
}

/** A metric family of a kind. Its name begins with that of the kind. */
export interface Family {
  /** Behind the kind's prefix: `status_parent_info`. */
  readonly suffix: string
  readonly help: string
  /** Only where reasons are asked for. */
  readonly reasons?: true
  /** Hands over the samples of one object. Of those with equal labels the first is kept. */
  readonly samples: (object: Json, emit: Emit, choice: Choice) => void
}

/** Names of labels, and the fields of an element that they are read from. */
export type LabelPaths = Readonly<Record<string, string>>

/** The labels of an element: "" where it has none of them. */
export function labelsOf(paths: LabelPaths): (element: Json) => string {
  const reads = Object.entries(paths).map(([name, path]) => [name, field(path)] as const)
  return (element) => reads.reduce((text, [name, read]) => text + label(name, read(element)), "")
}

/** 1 for each element of a list, or for the object itself, that has one of the labels. */
export function info(suffix: string, help: string, path: string, labels: LabelPaths): Family {
  const [read, text] = [field(path), labelsOf(labels)]
  return {
    suffix,
    help,
    samples(object, emit) {
      const found = read(object)
      for (const element of Array.isArray(found) ? elements(found) : [found]) {
        const own = text(element)
        if (own !== "") emit(own, 1)
      }
    },
  }
}

/** The number of each element of a list that has one. */
export function count(suffix: string, help: string, path: string, labels: LabelPaths, value: string): Family {
  const [read, text, number] = [field(path), labelsOf(labels), field(value)]
  return {
    suffix,
    help,
    samples(object, emit) {
      for (const element of elements(read(object))) emitNumber(text(element), numberOf(number(element)), emit)
    },
  }
}

/** One number of an object. */
export function single(suffix: string, help: string, valueOf: (object: Json) => number | undefined): Family {
  return { suffix, help, samples: (object, emit) => emitNumber("", valueOf(object), emit) }
}

function emitNumber(labels: string, value: number | undefined, emit: Emit): void {
  if (value !== undefined) emit(labels, value)
}

/** Conditions and booleans: 1 for true and yes, 0 for false, no and unknown, in any case; undefined for all else. */
export function truth(value: Json): number | undefined {
  const text = scalar(value)?.toLowerCase() ?? ""
  if (text === "true" || text === "yes") return 1
  return text === "false" || text === "no" || text === "unknown" ? 0 : undefined
}

export function numberOf(value: Json): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined
}
