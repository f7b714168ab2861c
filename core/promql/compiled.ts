import { Automaton } from "./regex/automaton.ts"
import { parseRegex } from "./regex/parse.ts"
import { compileRegex, compileWord, hasBareDot, type Program } from "./regex/program.ts"
import { acceptsWord, type Budget, type Language } from "./regex/search.ts"
import { InvalidRegex, Undecidable } from "./regex/undecidable.ts"
import type { Matcher, Selector } from "./selector.ts"

/** How a bare dot is read: Prometheus 3 lets it match a newline, Prometheus 2 does not. */
export type Dots = "with newline" | "without newline"

/** A matcher with its automata, made when they are first needed. */
export interface CompiledMatcher {
  readonly matcher: Matcher
  /** Whether its language depends on how dots are read. */
  readonly hasBareDot: boolean
  /** Why its language is not known. */
  readonly problem: Undecidable | undefined
  language(dots: Dots): Language
  accepts(word: string, dots: Dots, budget: Budget): boolean
}

/** A selector ready for many decisions. It keeps automata, so a policy compiles each selector once. */
export interface CompiledSelector {
  readonly selector: Selector
  readonly matchers: readonly CompiledMatcher[]
  readonly labels: ReadonlyMap<string, readonly CompiledMatcher[]>
  readonly hasBareDot: boolean
  /** Of the first matcher whose language is not known; those are only found contained in their like. */
  readonly problem: string | undefined
  readonly invalid: boolean
}

export function compile(selector: Selector): CompiledSelector {
  const matchers = selector.map(compileMatcher)
  const failed = matchers.find(({ problem }) => problem !== undefined)
  return {
    selector,
    matchers,
    labels: Map.groupBy(matchers, ({ matcher }) => matcher.label),
    hasBareDot: matchers.some((matcher) => matcher.hasBareDot),
    problem: failed === undefined ? undefined : problemOf(failed),
    invalid: matchers.some(({ problem }) => problem instanceof InvalidRegex),
  }
}

export function problemOf({ matcher, problem }: CompiledMatcher): string {
  return `${matcher.label}${matcher.op}${JSON.stringify(matcher.value)} can't be compared: ${problem?.message}`
}

function compileMatcher(matcher: Matcher): CompiledMatcher {
  return matcher.op === "=" || matcher.op === "!=" ? wordMatcher(matcher) : regexMatcher(matcher)
}

function wordMatcher(matcher: Matcher): CompiledMatcher {
  const negated = matcher.op === "!="
  const automaton = once(() => new Automaton(compileWord(matcher.value)))
  return {
    matcher,
    hasBareDot: false,
    problem: matcher.value.isWellFormed() ? undefined : new InvalidRegex("it is not valid Unicode"),
    language: () => ({ automaton: automaton(), negated }),
    accepts: (word) => (word === matcher.value) !== negated,
  }
}

function regexMatcher(matcher: Matcher): CompiledMatcher {
  const negated = matcher.op === "!~"
  let bareDot = false
  let problem: Undecidable | undefined
  let programs: { readonly [dots in Dots]: Program } | undefined
  try {
    const regex = parseRegex(matcher.value)
    bareDot = hasBareDot(regex)
    const withNewline = compileRegex(regex, true)
    programs = {
      "with newline": withNewline,
      "without newline": bareDot ? compileRegex(regex, false) : withNewline,
    }
  } catch (error) {
    if (!(error instanceof Undecidable)) throw error
    problem = error
  }
  const automaton = (dots: Dots): Automaton => {
    if (programs === undefined) throw problem ?? new Undecidable("it has no automaton")
    return new Automaton(programs[dots])
  }
  const withNewline = once(() => automaton("with newline"))
  const withoutNewline = bareDot ? once(() => automaton("without newline")) : withNewline
  const language = (dots: Dots): Language => ({
    automaton: dots === "with newline" ? withNewline() : withoutNewline(),
    negated,
  })
  return {
    matcher,
    hasBareDot: bareDot,
    problem,
    language,
    accepts: (word, dots, budget) => acceptsWord(language(dots), word, budget),
  }
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
