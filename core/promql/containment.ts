import { compile, type CompiledMatcher, type CompiledSelector, problemOf } from "./compiled.ts"
import type { Matcher, Selector } from "./selector.ts"
import type { RegexReading } from "./regex/program.ts"
import { Budget, findSharedWord } from "./regex/search.ts"
import { Undecidable } from "./regex/undecidable.ts"

export type Containment =
  | { readonly kind: "contained" }
  /** The request selects series with this value of the label (empty: without the label), the allowed selector does not. */
  | { readonly kind: "not contained"; readonly label: string; readonly witness: string }
  | { readonly kind: "undecidable"; readonly reason: string }

/** Work of one decision: enough for lists of 1,000 names, and some tenths of a second at most. */
const DECISION_STEPS = 5_000_000

export type Authorisation =
  | { readonly kind: "contained"; readonly index: number }
  /** Why not, for each of the allowed selectors. */
  | { readonly kind: "refused"; readonly results: readonly Containment[] }

/**
 * Whether one of several allowed selectors contains `match`. A request that only their union contains is refused.
 * A long list does not multiply what an expensive request can cost: each comparison gets its part of one decision's
 * work, and those that need more then share as much again.
 */
export function containedInAny(allowed: readonly CompiledSelector[], match: CompiledSelector): Authorisation {
  const results: Containment[] = []
  const rest = new Budget(DECISION_STEPS)
  for (const budgetOfOne of [(): Budget => new Budget(DECISION_STEPS / allowed.length), (): Budget => rest]) {
    for (const [index, one] of allowed.entries()) {
      if ((results[index]?.kind ?? "undecidable") !== "undecidable") continue
      const result = contains(one, match, budgetOfOne())
      if (result.kind === "contained") return { kind: "contained", index }
      results[index] = result
    }
  }
  return { kind: "refused", results }
}

/** The same where `steps` of work are enough; undefined where they are not. `match` is of no use to others afterwards. */
export function containedInAnyWithin(
  steps: number,
  allowed: readonly CompiledSelector[],
  match: CompiledSelector,
): Authorisation | undefined {
  const budget = new Budget(steps)
  const results: Containment[] = []
  for (const [index, one] of allowed.entries()) {
    const result = contains(one, match, budget, budget)
    if (result.kind === "contained") return { kind: "contained", index }
    if (budget.exhausted) return undefined
    results.push(result)
  }
  return { kind: "refused", results }
}

/**
 * Whether the series that `match` selects are a subset of those that `allowed` selects, in every Prometheus from 2.42 on.
 * "contained" and "not contained" are proven; authorisation lets only "contained" pass.
 *
 * A selector is a product of languages, one per label, so containment is decided label by label. Where versions of
 * Prometheus read an expression differently, it holds for all: for both readings of a dot, and for what folded letters
 * match at most in the request and at least in the allowed selector.
 */
export function contains(
  allowed: CompiledSelector,
  match: CompiledSelector,
  budget = new Budget(DECISION_STEPS),
  forSamples?: Budget,
): Containment {
  if (allowed.selector.length === 0 || match.selector.length === 0) {
    return { kind: "undecidable", reason: "a selector without matchers cannot be compared" }
  }
  const { invalid } = match
  if (invalid !== undefined) return { kind: "undecidable", reason: match.problem("at most") ?? invalid }
  const goals = allowed.matchers.filter((matcher) => !isAmong(matcher, match.labels.get(matcher.matcher.label)))
  if (goals.length === 0) return { kind: "contained" }
  try {
    const result = containsAs(true, goals, match, budget, forSamples)
    const alike = result.kind !== "contained" || !(allowed.hasBareDot || match.hasBareDot)
    return alike ? result : containsAs(false, goals, match, budget, forSamples)
  } catch (error) {
    if (!(error instanceof Undecidable)) throw error
    return { kind: "undecidable", reason: error.message }
  }
}

/** `goals`: matchers of the allowed selector that the request must be shown to imply. */
function containsAs(
  dotAll: boolean,
  goals: readonly CompiledMatcher[],
  match: CompiledSelector,
  budget: Budget,
  forSamples?: Budget,
): Containment {
  const samples = samplesOf(match, dotAll, forSamples)
  if (samples === "selects nothing") return { kind: "contained" }
  for (const goal of goals) {
    const { label } = goal.matcher
    const sample = samples.get(label) ?? ""
    // most of a long list is excluded here, and never read
    const excluded = goal.excludes(sample)
    if (!excluded && goal.problem("at least") !== undefined) continue
    const witness = excluded ? sample : counterexample(goal, known(match.labels.get(label)), sample, dotAll, budget)
    if (witness === undefined) continue
    // a matcher that is not understood may exclude the witness, or everything
    const reason = match.problem("at most")
    return reason === undefined ? { kind: "not contained", label, witness } : { kind: "undecidable", reason }
  }
  const reason = problemOf(goals, "at least")
  return reason === undefined ? { kind: "contained" } : { kind: "undecidable", reason }
}

/** A value that the request's matchers of one label accept and `goal` does not. */
function counterexample(
  goal: CompiledMatcher,
  request: readonly CompiledMatcher[],
  sample: string,
  dotAll: boolean,
  budget: Budget,
): string | undefined {
  if (!goal.accepts(sample, { dotAll, bound: "at least" }, budget)) return sample
  if (request.some(({ matcher }) => matcher.op === "=")) return undefined // the sample is the only value
  const { automaton, negated } = goal.language({ dotAll, bound: "at least" })
  const languages = request.map((matcher) => matcher.language({ dotAll, bound: "at most" }))
  return findSharedWord([...languages, { automaton, negated: !negated }], budget)
}

type Samples = ReadonlyMap<string, string> | "selects nothing"
/** Kept per selector, also when there are none: it is needed once per allowed selector. */
const knownSamples = new WeakMap<CompiledSelector, Map<boolean, Samples | Undecidable>>()

/** A shortest value per label that the selector can have there. */
function samplesOf(selector: CompiledSelector, dotAll: boolean, budget = new Budget(DECISION_STEPS)): Samples {
  const ofSelector = knownSamples.get(selector) ?? new Map<boolean, Samples | Undecidable>()
  knownSamples.set(selector, ofSelector)
  const samples = ofSelector.get(dotAll) ?? findSamples(selector, dotAll, budget)
  ofSelector.set(dotAll, samples)
  if (samples instanceof Undecidable) throw samples
  return samples
}

function findSamples(selector: CompiledSelector, dotAll: boolean, budget: Budget): Samples | Undecidable {
  const samples = new Map<string, string>()
  try {
    for (const [label, matchers] of selector.labels) {
      const sample = sampleOf(known(matchers), dotAll, budget)
      if (sample === undefined) return "selects nothing"
      samples.set(label, sample)
    }
    return samples
  } catch (error) {
    if (error instanceof Undecidable) return error
    throw error
  }
}

function sampleOf(matchers: readonly CompiledMatcher[], dotAll: boolean, budget: Budget): string | undefined {
  const reading: RegexReading = { dotAll, bound: "at most" }
  const word = matchers.find(({ matcher }) => matcher.op === "=")?.matcher.value
  if (word !== undefined) return matchers.every((other) => other.accepts(word, reading, budget)) ? word : undefined
  return findSharedWord(
    matchers.map((matcher) => matcher.language(reading)),
    budget,
  )
}

function isAmong({ matcher }: CompiledMatcher, others: readonly CompiledMatcher[] | undefined): boolean {
  return others?.some((other) => other.matcher.op === matcher.op && other.matcher.value === matcher.value) ?? false
}

/** Without those that are not understood, a request selects the same or more: what then is contained surely is. */
function known(matchers: readonly CompiledMatcher[] | undefined): readonly CompiledMatcher[] {
  return matchers?.filter(({ problem }) => problem("at most") === undefined) ?? []
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
 * against an oversight, so what cannot be decided counts as shared.
 */
export function sharesEverything(allowed: CompiledSelector): boolean {
  const others = [...allowed.labels.keys()].filter((label) => EVERY_SERIES.every((every) => every.label !== label))
  const every = compile([...EVERY_SERIES, ...others.map((label): Matcher => ({ label, op: "=", value: "" }))])
  const goals = allowed.matchers.filter(({ problem }) => problem("at least") === undefined)
  try {
    return containsAs(true, goals, every, new Budget(DECISION_STEPS)).kind === "contained"
  } catch (error) {
    if (error instanceof Undecidable) return true
    throw error
  }
}
