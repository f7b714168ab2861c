import { Automaton } from "./regex/automaton.ts"
import { parseRegex } from "./regex/parse.ts"
import { compileRegex, compileWord, type RegexReading } from "./regex/program.ts"
import { acceptsWord, type Budget, type Language } from "./regex/search.ts"
import { hasBareDot, maySpreadFolding } from "./regex/tree.ts"
import { InvalidRegex, Undecidable } from "./regex/undecidable.ts"
import type { Matcher, Selector } from "./selector.ts"

/** A matcher with what is known of its language, found out when it is first needed. */
export interface CompiledMatcher {
  readonly matcher: Matcher
  /** Whether it surely does not accept a word, found out without reading its expression. */
  excludes(word: string): boolean
  /** Whether its language depends on how dots are read. */
  hasBareDot(): boolean
  /** Why its language is not known: not what it has at least, as an allowed one, or not what it has at most, as a request. */
  readonly problem: (bound: RegexReading["bound"]) => Undecidable | undefined
  language(reading: RegexReading): Language
  accepts(word: string, reading: RegexReading, budget: Budget): boolean
}

/** A selector ready for many decisions. It keeps automata, so a policy compiles each selector once. */
export class CompiledSelector {
  readonly selector: Selector
  readonly matchers: readonly CompiledMatcher[]
  #invalid: { readonly reason: string | undefined } | undefined
  #labels: ReadonlyMap<string, readonly CompiledMatcher[]> | undefined

  // a class, since V8 keeps what getters of a literal close over until its next full collection
  constructor(selector: Selector) {
    this.selector = selector
    this.matchers = selector.map((matcher) =>
      matcher.op === "=" || matcher.op === "!=" ? compileWordMatcher(matcher) : compileRegexMatcher(matcher),
    )
  }

  get labels(): ReadonlyMap<string, readonly CompiledMatcher[]> {
    return (this.#labels ??= Map.groupBy(this.matchers, ({ matcher }) => matcher.label))
  }

  get hasBareDot(): boolean {
    return this.matchers.some((matcher) => matcher.hasBareDot())
  }

  /** Why, as an allowed selector ("at least"), it contains only those with the same matcher, or, as a request, is not wholly understood. */
  problem(bound: RegexReading["bound"]): string | undefined {
    return problemOf(this.matchers, bound)
  }

  /** Why no Prometheus accepts it. */
  get invalid(): string | undefined {
    const isInvalid = ({ problem }: CompiledMatcher): boolean => problem("at most") instanceof InvalidRegex
    return (this.#invalid ??= { reason: problemOf(this.matchers.filter(isInvalid), "at most") }).reason
  }
}

export function compile(selector: Selector): CompiledSelector {
  return new CompiledSelector(selector)
}

/** Of the first that has one. */
export function problemOf(matchers: readonly CompiledMatcher[], bound: RegexReading["bound"]): string | undefined {
  for (const compiled of matchers) {
    const { label, op, value } = compiled.matcher
    const problem = compiled.problem(bound)
    if (problem === undefined) continue
    const verdict = problem instanceof InvalidRegex ? "is no expression that Prometheus accepts" : "cannot be compared"
    return `${label}${op}${JSON.stringify(value)} ${verdict}: ${problem.message}`
  }
  return undefined
}

function compileWordMatcher(matcher: Matcher): CompiledMatcher {
  const negated = matcher.op === "!="
  const problem = matcher.value.isWellFormed() ? undefined : new InvalidRegex("it is not valid Unicode")
  const automaton = once(() => new Automaton(compileWord(matcher.value)))
  return {
    matcher,
    excludes: (word) => (word === matcher.value) === negated,
    hasBareDot: () => false,
    problem: () => problem,
    language: () => ({ automaton: automaton(), negated }),
    accepts: (word) => (word === matcher.value) !== negated,
  }
}

const SPREADS = new Undecidable(
  "both cases of a letter in an expression of several words: versions of Prometheus differ in what it matches",
)

function compileRegexMatcher(matcher: Matcher): CompiledMatcher {
  const negated = matcher.op === "!~"
  const prefix = literalPrefix(matcher.value)
  const read = once(() => readRegex(matcher.value, negated))
  return {
    matcher,
    excludes: (word) => !negated && !word.startsWith(prefix),
    hasBareDot: () => read().hasBareDot(),
    problem: (bound) => read().problem(bound),
    language: (reading) => read().language(reading),
    accepts: (word, reading, budget) => acceptsWord(read().language(reading), word, budget),
  }
}

/** What all words of an expression begin with. Not all of it is found, and nothing where there are alternatives. */
function literalPrefix(pattern: string): string {
  if (pattern.includes("|")) return ""
  const prefix = /^[\w:/-]*/.exec(pattern)?.[0] ?? ""
  return /^[*+?{]/.test(pattern.slice(prefix.length)) ? prefix.slice(0, -1) : prefix
}

function readRegex(pattern: string, negated: boolean): Pick<CompiledMatcher, "hasBareDot" | "problem" | "language"> {
  try {
    const regex = parseRegex(pattern)
    const bareDot = hasBareDot(regex)
    const spreads = maySpreadFolding(regex) ? SPREADS : undefined
    const automata = new Map<string, Automaton>()
    const automatonFor = (reading: RegexReading): Automaton => {
      const key = `${reading.bound} ${reading.dotAll}`
      const automaton = automata.get(key) ?? new Automaton(compileRegex(regex, reading))
      automata.set(key, automaton)
      return automaton
    }
    automatonFor({ dotAll: true, bound: "at least" }) // where one is too large, all are
    return {
      hasBareDot: () => bareDot,
      problem: (bound) => ((negated ? opposite(bound) : bound) === "at most" ? spreads : undefined),
      language({ dotAll, bound }) {
        // the complement has at most what is left by what is matched at least
        const reading: RegexReading = { dotAll: dotAll || !bareDot, bound: negated ? opposite(bound) : bound }
        return { automaton: automatonFor(reading), negated }
      },
    }
  } catch (error) {
    if (!(error instanceof Undecidable)) throw error
    const language = (): never => {
      throw error
    }
    return { hasBareDot: () => false, problem: () => error, language }
  }
}

function opposite(bound: RegexReading["bound"]): RegexReading["bound"] {
  return bound === "at least" ? "at most" : "at least"
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
