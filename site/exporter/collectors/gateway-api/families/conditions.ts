import { type Emit, type Family, numberOf, truth } from "../family.ts"
import { elements, field, type Json } from "../fields.ts"
import { label } from "../labels.ts"

const [type, status, reason] = [field("type"), field("status"), field("reason")]
const generation = field("metadata.generation")
const observedGeneration = field("observedGeneration")

/** A list of conditions of an object, and the labels of what they are about. */
export interface Verdict {
  readonly labels: string
  readonly conditions: Json
}

export interface ConditionRules {
  /** Begins the names of the families: `status_parents`. */
  readonly suffix: string
  /** Of the family with the conditions, where it is another one than `…_conditions`. */
  readonly name?: string
  /** In the help: `a parent of the route`. */
  readonly of: string
  readonly verdicts: (object: Json) => Iterable<Verdict>
  /**
   * Who wrote the conditions: one controller all of an entry, so that the oldest counts; several of them, each its own
   * types; or one that reports the generation for the object as a whole. Without it there is no lag: conditions that
   * were copied from another object have its generation.
   */
  readonly observed?: "entry" | "type" | "object"
}

/** The families of conditions: their status, their reasons and how far their controller lags behind the object. */
export function conditionFamilies(rules: ConditionRules): readonly Family[] {
  const { suffix, name = `${suffix}_conditions`, of, verdicts } = rules
  return [
    {
      suffix: name,
      help: `Conditions of ${of}: 1 if True, 0 if False or Unknown.`,
      samples(object, emit) {
        for (const { labels, conditions } of verdicts(object)) {
          for (const condition of elements(conditions)) {
            const value = truth(status(condition))
            const typed = label("type", type(condition))
            if (value !== undefined && typed !== "") emit(labels + typed, value)
          }
        }
      },
    },
    {
      suffix: name === suffix ? `${suffix}_condition_reason` : `${name.replace(/s$/, "")}_reason`,
      help: `1 with status and reason of each condition of ${of}.`,
      reasons: true,
      samples(object, emit) {
        const seen = new Set<string>()
        for (const { labels, conditions } of verdicts(object)) reasons(labels, conditions, seen, emit)
      },
    },
    ...(rules.observed === undefined ? [] : [lag(rules)]),
  ]
}

/** Of a type that stands there twice only the first counts, as for its status. */
function reasons(labels: string, conditions: Json, seen: Set<string>, emit: Emit): void {
  for (const condition of elements(conditions)) {
    const typed = label("type", type(condition))
    const about = labels + typed
    if (typed === "" || seen.has(about) || truth(status(condition)) === undefined) continue
    seen.add(about)
    emit(about + label("status", status(condition)) + label("reason", reason(condition)), 1)
  }
}

function lag({ suffix, of, verdicts, observed }: ConditionRules): Family {
  const help = `Generation of the object minus the one that the conditions of ${of} are about: above 0 while the controller lags behind.`
  const samples: Family["samples"] = (object, emit) => {
    const current = numberOf(generation(object))
    if (current === undefined) return
    const emitLag = (labels: string, seen: number | undefined): void => {
      if (seen !== undefined) emit(labels, current - seen)
    }
    if (observed === "object") return emitLag("", observedOf(statusOf(object)))
    for (const { labels, conditions } of verdicts(object)) {
      const all = elements(conditions)
      if (observed === "type") {
        for (const each of all) {
          const typed = label("type", type(each))
          if (typed !== "") emitLag(labels + typed, observedOf(each))
        }
      } else emitLag(labels, smallest(all.map(observedOf)))
    }
  }
  return { suffix: `${suffix}_observed_generation_lag`, help, samples }
}

const statusOf = field("status")

/** undefined where it is missing or 0, as controllers leave it that do not report it. */
function observedOf(value: Json): number | undefined {
  const seen = numberOf(observedGeneration(value))
  return seen !== undefined && seen > 0 ? seen : undefined
}

function smallest(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((number) => number !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
