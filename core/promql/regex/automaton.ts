import { includes, NEWLINE, WORD } from "./code-points.ts"
import type { Assertion } from "./tree.ts"
import { alphabetOf, type RegexProgram } from "./program.ts"

/** What stands beside a place in a word, as far as an assertion can see it. */
type Beside = "edge" | "newline" | "word" | "other"

interface State {
  /**
   * Instructions reached without looking at what follows; sorted. There are as many as a step from here costs, whether it was
   * done before or not. Without any, no word leads from here to acceptance; not every such state is found.
   */
  readonly reached: readonly number[]
  /** What was consumed last; always "edge" where the program asserts nothing. */
  readonly before: Beside
  readonly accepts: boolean
  /** Every word is accepted from here. Not every such state is found. */
  readonly universal: boolean
  /** The next state per class of the alphabet, -1 where not yet known. */
  readonly next: number[]
}

const MAX_KEPT_STATES = 500

/**
 * Where an automaton notes which instructions it visited, by the number of the visit, and which of them it found. All
 * share it: a policy has many small automata, and memory of their own would be most of what each takes.
 */
let visited = new Float64Array(256)
let found = new Uint32Array(256)
let visit = 0

/** The deterministic automaton of a program, made state by state as words lead there. */
export class Automaton {
  /** The first code point of each class. */
  readonly alphabet: readonly number[]
  readonly #program: RegexProgram
  readonly #asserts: boolean
  #states: State[] = []
  #numbers = new Map<string, number>()

  constructor(program: RegexProgram) {
    this.#program = program
    this.#asserts = program.instructions.some(({ kind }) => kind === "assert")
    if (visited.length < program.instructions.length) {
      visited = new Float64Array(program.instructions.length)
      found = new Uint32Array(program.instructions.length)
    }
    this.alphabet = alphabetOf(program)
  }

  /** The first state. States returned before become invalid when there are too many to keep. */
  start(): number {
    if (this.#states.length > MAX_KEPT_STATES) {
      this.#states = []
      this.#numbers.clear()
    }
    if (this.#states.length === 0) this.#number(this.#follow([this.#program.start]), "edge")
    return 0
  }

  state(index: number): State {
    const state = this.#states[index]
    if (state === undefined) throw new RangeError(`no state ${index}`)
    return state
  }

  classOf(codePoint: number): number {
    let low = 0
    let high = this.alphabet.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((this.alphabet[middle] ?? 0) <= codePoint) low = middle
      else high = middle
    }
    return low
  }

  step(from: number, letters: number): number {
    const state = this.state(from)
    const known = state.next[letters] ?? -1
    if (known >= 0) return known
    const letter = this.alphabet[letters] ?? 0
    const after = this.#asserts ? besideOf(letter) : "edge"
    const targets: number[] = []
    for (const index of this.#expand(state.reached, state.before, after)) {
      const instruction = this.#program.instructions[index]
      if (instruction?.kind === "consume" && includes(instruction.set, letter)) targets.push(instruction.next)
    }
    return (state.next[letters] = this.#number(this.#follow(targets), after))
  }

  #number(targets: Uint32Array, before: Beside): number {
    const key = before + Buffer.from(targets.buffer, 0, targets.byteLength).toString("latin1")
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const reached = Array.from(targets)
    const { instructions } = this.#program
    const number = this.#states.length
    this.#states.push({
      reached,
      before,
      accepts: Array.from(this.#expand(reached, before, "edge")).some(
        (index) => instructions[index]?.kind === "accept",
      ),
      universal: reached.some((index) => {
        const instruction = instructions[index]
        return instruction?.kind === "fork" && instruction.universal
      }),
      next: Array<number>(this.alphabet.length).fill(-1),
    })
    this.#numbers.set(key, number)
    return number
  }

  /** Goes on through the assertions that hold between two neighbours. */
  #expand(reached: readonly number[], before: Beside, after: Beside): ArrayLike<number> & Iterable<number> {
    return this.#asserts ? this.#follow(reached, (assertion) => HOLDS[assertion](before, after)) : reached
  }

  /** What can be reached without consuming; forks are dropped but for universal ones. Holds until it is called again. */
  #follow(from: Iterable<number>, passes: (assertion: Assertion) => boolean = () => false): Uint32Array {
    const { instructions } = this.#program
    let count = 0
    const open = [...from]
    const number = ++visit
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (visited[index] === number) continue
      visited[index] = number
      const instruction = instructions[index]
      if (instruction?.kind === "fork") open.push(...instruction.next)
      else if (instruction?.kind === "assert" && passes(instruction.assertion)) open.push(instruction.next)
      if (instruction?.kind !== "fork" || instruction.universal) found[count++] = index
    }
    // oxlint-disable-next-line unicorn/no-array-sort -- in place: no other copy is wanted
    return found.subarray(0, count).sort()
  }
}

function besideOf(codePoint: number): Beside {
  if (codePoint === NEWLINE) return "newline"
  return includes(WORD, codePoint) ? "word" : "other"
}

/** When an assertion holds. "edge" before a place is only a word's start, and after it only its end. */
const HOLDS: Readonly<Record<Assertion, (before: Beside, after: Beside) => boolean>> = {
  "text start": (before) => before === "edge",
  "text end": (_, after) => after === "edge",
  "line start": (before) => before === "edge" || before === "newline",
  "line end": (_, after) => after === "edge" || after === "newline",
  "word boundary": (before, after) => (before === "word") !== (after === "word"),
  "no word boundary": (before, after) => (before === "word") === (after === "word"),
}
