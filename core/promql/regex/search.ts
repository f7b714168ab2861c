import type { Automaton } from "./automaton.ts"
import { Undecidable } from "./undecidable.ts"

/** The words that an automaton accepts or, negated, all others. */
export interface Language {
  readonly automaton: Automaton
  readonly negated: boolean
}

/** Counts down the work of one decision in steps, not in time: the same decision has the same result everywhere. */
export class Budget {
  #left: number

  constructor(steps: number) {
    this.#left = steps
  }

  get exhausted(): boolean {
    return this.#left < 0
  }

  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new Undecidable("it is too complex to decide")
  }
}

export function acceptsWord({ automaton, negated }: Language, word: string, budget: Budget): boolean {
  let state = automaton.start()
  for (const letter of word) {
    const { universal, reached } = automaton.state(state)
    if (universal || reached.length === 0) break
    budget.spend(reached.length)
    state = automaton.step(state, automaton.classOf(letter.codePointAt(0) ?? 0))
  }
  return automaton.state(state).accepts !== negated
}

interface SearchPlace {
  readonly states: readonly number[]
  readonly from: SearchPlace | undefined
  readonly letter: number
}

/** A place costs this much besides the work of its automata. */
const PLACE_COST = 8

/** A shortest word that all languages share, or undefined if there is none. Throws Undecidable beyond the budget. */
export function findSharedWord(languages: readonly Language[], budget: Budget): string | undefined {
  const letters = sharedAlphabet(languages)
  const classes = languages.map(({ automaton }) => letters.map((letter) => automaton.classOf(letter)))
  const start: SearchPlace = { states: languages.map(({ automaton }) => automaton.start()), from: undefined, letter: 0 }
  const known = new Set([start.states.join()])
  let frontier: readonly SearchPlace[] = languages.some((language, i) => isHopeless(language, start.states[i] ?? 0))
    ? []
    : [start]
  while (frontier.length > 0) {
    const found = frontier.find(({ states }) => isShared(languages, states))
    if (found !== undefined) return wordTo(found)
    const next: SearchPlace[] = []
    for (const from of frontier) {
      const cost = languages.reduce(
        (sum, { automaton }, i) => sum + automaton.state(from.states[i] ?? 0).reached.length,
        PLACE_COST,
      )
      budget.spend(cost * letters.length)
      for (let letter = 0; letter < letters.length; letter++) {
        const states = step(languages, from.states, classes, letter)
        const key = states?.join()
        if (states === undefined || key === undefined || known.has(key)) continue
        known.add(key)
        next.push({ states, from, letter: letters[letter] ?? 0 })
      }
    }
    frontier = next
  }
  return undefined
}

/** Undefined where one of the languages has no word from there on. */
function step(
  languages: readonly Language[],
  from: readonly number[],
  classes: readonly (readonly number[])[],
  letter: number,
): readonly number[] | undefined {
  const states: number[] = []
  for (let i = 0; i < languages.length; i++) {
    const language = languages[i]
    if (language === undefined) break
    const state = language.automaton.step(from[i] ?? 0, classes[i]?.[letter] ?? 0)
    if (isHopeless(language, state)) return undefined
    states.push(state)
  }
  return states
}

function isHopeless({ automaton, negated }: Language, index: number): boolean {
  const state = automaton.state(index)
  return negated ? state.universal : state.reached.length === 0
}

function isShared(languages: readonly Language[], states: readonly number[]): boolean {
  return languages.every(({ automaton, negated }, i) => automaton.state(states[i] ?? 0).accepts !== negated)
}

function wordTo(place: SearchPlace): string {
  const letters: number[] = []
  for (let at = place; at.from !== undefined; at = at.from) letters.push(at.letter)
  return letters
    .toReversed()
    .map((letter) => String.fromCodePoint(letter))
    .join("")
}

/** Code points by how well they read in a message. */
const READABLE = Array.from("xabcdefghijklmnopqrstuvwyz0123456789_XABCDEFGHIJKLMNOPQRSTUVWYZ-./: !").map((letter) =>
  letter.charCodeAt(0),
)

/** One code point of each class that no language divides, those first that read best. */
function sharedAlphabet(languages: readonly Language[]): readonly number[] {
  const starts = new Set(languages.flatMap(({ automaton }) => automaton.alphabet))
  const sorted = [...starts.add(0).add(0xd800).add(0xe000)].toSorted((a, b) => a - b)
  const readable = new Map<number, number>()
  for (const letter of READABLE) {
    const start = sorted.findLast((first) => first <= letter) ?? 0
    if (!readable.has(start)) readable.set(start, letter)
  }
  const others = sorted.filter((start) => !readable.has(start) && (start < 0xd800 || start >= 0xe000))
  return [...readable.values(), ...others]
}
