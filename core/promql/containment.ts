import { compile, type CompiledMatcher, type CompiledSelector, type Dots, problemOf } from "./compiled.ts"
import type { Matcher, Selector } from "./selector.ts"
import { Budget, findSharedWord } from "./regex/search.ts"
import { Undecidable } from "./regex/undecidable.ts"

export type Containment =
  | { readonly kind: "contained" }
  /** The request selects series with this value of the label (empty: without the label), the allowed selector does not. */
  | { readonly kind: "not contained"; readonly label: string; readonly witness: string }
  | { readonly kind: "undecidable"; readonly reason: string }

/** Steps of one decision; about 50 ms at most. */
const DECISION_STEPS = 5_000_000

/**
 * Whether the series that `match` selects are a subset of those that `allowed` selects, in every Prometheus from 2.42 on.
 * "contained" and "not contained" are proven; whoever authorises lets only "contained" pass.
 *
 * A selector is a product of languages, one per label, so containment is decided label by label. Where Prometheus 2 and 3
 * read an expression differently, it must hold for both.
 */
export function contains(allowed: CompiledSelector, match: CompiledSelector): Containment {
  if (allowed.selector.length === 0 || match.selector.length === 0) {
    return { kind: "undecidable", reason: "a selector without matchers can't be compared" }
  }
  if (match.invalid) return { kind: "undecidable", reason: match.problem ?? "" }
  const open = [...allowed.labels].flatMap(([label, matchers]) =>
    matchers.filter((matcher) => !isAmong(matcher, match.labels.get(label))).map((matcher) => ({ label, matcher })),
  )
  if (open.length === 0) return { kind: "contained" }
  const readings: readonly Dots[] =
    allowed.hasBareDot || match.hasBareDot ? ["with newline", "without newline"] : ["with newline"]
  try {
    const budget = new Budget(DECISION_STEPS)
    for (const dots of readings) {
      const result = containsAs(dots, open, match, budget)
      if (result.kind !== "contained") return result
    }
    return { kind: "contained" }
  } catch (error) {
    if (!(error instanceof Undecidable)) throw error
    return { kind: "undecidable", reason: error.message }
  }
}

/** A matcher of the allowed selector that the request must be shown to imply. */
interface Goal {
  readonly label: string
  readonly matcher: CompiledMatcher
}

function containsAs(dots: Dots, goals: readonly Goal[], match: CompiledSelector, budget: Budget): Containment {
  const samples = samplesOf(match, dots)
  if (samples === "selects nothing") return { kind: "contained" }
  let undecided: string | undefined
  for (const { label, matcher } of goals) {
    if (matcher.problem !== undefined) {
      undecided ??= problemOf(matcher)
      continue
    }
    const witness = counterexample(matcher, known(match.labels.get(label)), samples.get(label) ?? "", dots, budget)
    if (witness === undefined) continue
    // a matcher that is not understood may exclude the witness, or everything
    if (match.problem !== undefined) return { kind: "undecidable", reason: match.problem }
    return { kind: "not contained", label, witness }
  }
  return undecided === undefined ? { kind: "contained" } : { kind: "undecidable", reason: undecided }
}

/** A value that the request's matchers of one label accept and `goal` does not. */
function counterexample(
  goal: CompiledMatcher,
  request: readonly CompiledMatcher[],
  sample: string,
  dots: Dots,
  budget: Budget,
): string | undefined {
  if (!goal.accepts(sample, dots, budget)) return sample
  if (request.some(({ matcher }) => matcher.op === "=")) return undefined // the sample is the only value
  const { automaton, negated } = goal.language(dots)
  const languages = request.map((matcher) => matcher.language(dots))
  return findSharedWord([...languages, { automaton, negated: !negated }], budget)
}

type Samples = ReadonlyMap<string, string> | "selects nothing"
const knownSamples = new WeakMap<CompiledSelector, Map<Dots, Samples>>()

/** A shortest value per label that the selector can have there. */
function samplesOf(selector: CompiledSelector, dots: Dots): Samples {
  const ofSelector = knownSamples.get(selector) ?? new Map<Dots, Samples>()
  knownSamples.set(selector, ofSelector)
  const kept = ofSelector.get(dots)
  if (kept !== undefined) return kept
  const budget = new Budget(DECISION_STEPS)
  const samples = new Map<string, string>()
  for (const [label, matchers] of selector.labels) {
    const sample = sampleOf(known(matchers), dots, budget)
    if (sample === undefined) {
      ofSelector.set(dots, "selects nothing")
      return "selects nothing"
    }
    samples.set(label, sample)
  }
  ofSelector.set(dots, samples)
  return samples
}

function sampleOf(matchers: readonly CompiledMatcher[], dots: Dots, budget: Budget): string | undefined {
  const word = matchers.find(({ matcher }) => matcher.op === "=")?.matcher.value
  if (word !== undefined) return matchers.every((other) => other.accepts(word, dots, budget)) ? word : undefined
  return findSharedWord(
    matchers.map((matcher) => matcher.language(dots)),
    budget,
  )
}

function isAmong({ matcher }: CompiledMatcher, others: readonly CompiledMatcher[] | undefined): boolean {
  return others?.some((other) => other.matcher.op === matcher.op && other.matcher.value === matcher.value) ?? false
}

/** Without those that are not understood, a selector selects the same or more: what then is contained surely is. */
function known(matchers: readonly CompiledMatcher[] | undefined): readonly CompiledMatcher[] {
  return matchers?.filter(({ problem }) => problem === undefined) ?? []
}

/** What every scraped series has; all other labels may be absent. */
const EVERY_SERIES: Selector = [
  { label: "__name__", op: "=~", value: "[a-zA-Z_:][a-zA-Z0-9_:]*" },
  { label: "instance", op: "!=", value: "" },
  { label: "job", op: "!=", value: "" },
]

/**
 * Whether a selector shares whatever a target exposes, whatever its name, job and instance: `{__name__=~".+"}`, but also
 * `{namespace!="kube-system"}` or `{nosuchlabel=""}`, which hold for every series without such a label. It guards
 * against an oversight, so what can't be told counts as shared.
 */
export function sharesEverything(allowed: CompiledSelector): boolean {
  const others = [...allowed.labels.keys()].filter((label) => EVERY_SERIES.every((every) => every.label !== label))
  const every = compile([...EVERY_SERIES, ...others.map((label): Matcher => ({ label, op: "=", value: "" }))])
  const goals = known(allowed.matchers).map((matcher) => ({ label: matcher.matcher.label, matcher }))
  try {
    return containsAs("with newline", goals, every, new Budget(DECISION_STEPS)).kind === "contained"
  } catch (error) {
    if (error instanceof Undecidable) return true
    throw error
  }
}
