import { isUtf8 } from "node:buffer"
import type { SeriesMatching } from "#core/promql/matching.ts"
import { Budget } from "#core/promql/regex/search.ts"
import { Undecidable } from "#core/promql/regex/undecidable.ts"
import { labelText } from "../split/series-text.ts"
import type { RejectionKind } from "../split/rejections.ts"
import type { LabelName } from "./label-names.ts"
import { MOST_LABELS, type SeriesLabels } from "./series-labels.ts"
import type { SeriesRules } from "./series-rules.ts"

/** Steps of automata for one request: some for every byte that is compared, and never more than a second's work. */
const steps = (bytes: number): number => Math.min(1_000_000 + 64 * bytes, 50_000_000)

const TOO_MUCH_WORK =
  "it takes too much work to compare its values with the selectors; send less in a request, or shorter values"

/** Decides which series of one request are accepted. */
export class SeriesJudge {
  readonly #matching: SeriesMatching | undefined
  readonly #values: string[]
  readonly #notShared: string
  readonly #budget: Budget
  /** Of the series before: what its names were found to be, and which of its labels the selectors mention. */
  #refusalOfNames: string | undefined
  readonly #watched: number[] = []
  #isFirst = true

  /** `bytes`: of the request. */
  constructor({ sender, matching }: SeriesRules, bytes: number) {
    this.#matching = matching
    this.#values = matching?.labels.map(() => "") ?? []
    this.#notShared = `none of the selectors of ${sender} selects it; keep such series back with write_relabel_configs`
    this.#budget = new Budget(steps(bytes))
  }

  /** Why a series is set aside, for a person; undefined where it is accepted. */
  refusal(labels: SeriesLabels): string | undefined {
    if (this.#isFirst || !labels.sameNames) this.#refusalOfNames = this.#judgeNames(labels)
    this.#isFirst = false
    if (this.#refusalOfNames !== undefined) return this.#refusalOfNames
    const values = this.#values
    for (let index = 0; index < values.length; index++) values[index] = ""
    for (const index of this.#watched) {
      const name = labels.names[index] as LabelName
      const value = labels.value(index)
      if (value.includes("\ufffd") && !isUtf8(labels.bytes.subarray(labels.starts[index], labels.ends[index]))) {
        return `the value of the label ${labelText(name.text)} is not UTF-8`
      }
      values[name.watched] = value
    }
    return this.#judge((matching, budget) => matching.matches(values, budget))
  }

  kindOf(refusal: string): RejectionKind {
    return refusal === this.#notShared || refusal === TOO_MUCH_WORK ? "not_shared" : "malformed"
  }

  /** Receivers differ in which of two labels counts, and in what they make of broken UTF-8: neither can be judged. */
  #judgeNames(labels: SeriesLabels): string | undefined {
    const { names, length } = labels
    this.#watched.length = 0
    if (length > MOST_LABELS) return `it has more than ${MOST_LABELS} labels`
    const twice = duplicate(labels)
    if (twice !== undefined) return `it has the label ${labelText(twice)} more than once`
    for (let index = 0; index < length; index++) {
      const name = names[index] as LabelName
      if (!name.isUtf8) return "the name of a label is not UTF-8"
      if (name.watched !== -1) this.#watched.push(index)
    }
    return undefined
  }

  /** Whether metadata of a metric family is accepted: that of any series which the family may have. */
  acceptsFamily(name: string): boolean {
    const names = [name, ...SUFFIXES.map((suffix) => name + suffix)]
    return names.some((one) => this.#judge((matching, budget) => matching.mayBeNamed(one, budget)) === undefined)
  }

  #judge(accepts: (matching: SeriesMatching, budget: Budget) => boolean): string | undefined {
    if (this.#matching === undefined) return undefined
    try {
      return accepts(this.#matching, this.#budget) ? undefined : this.#notShared
    } catch (error) {
      if (!(error instanceof Undecidable)) throw error
      return TOO_MUCH_WORK
    }
  }
}

/** Of a counter in OpenMetrics, of histograms and summaries. */
const SUFFIXES = ["_total", "_bucket", "_count", "_sum"]

/** The name of a label that stands more than once. Labels come sorted from most senders: then it takes one pass. */
function duplicate({ names, length }: SeriesLabels): string | undefined {
  let sorted = true
  for (let index = 1; index < length && sorted; index++) {
    sorted = (names[index - 1]?.key ?? "") < (names[index]?.key ?? "")
  }
  if (sorted) return undefined
  const seen = new Set<string>()
  for (let index = 0; index < length; index++) {
    const key = names[index]?.key ?? ""
    if (seen.has(key)) return names[index]?.text
    seen.add(key)
  }
  return undefined
}
