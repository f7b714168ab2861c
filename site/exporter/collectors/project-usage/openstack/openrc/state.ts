import type { Statement } from "./statements.ts"
import { Unknown, type Value, type Variables } from "./values.ts"

/** Whether a statement succeeds; undefined where that is not known. */
export type Status = boolean | undefined

/** Ends what it is in: the file, or a round of a loop. */
export class Leave {
  readonly what: "file" | "round" | "loop" | "function"
  constructor(what: Leave["what"]) {
    this.what = what
  }
}

/** The variables of a shell file while it runs. */
export class State implements Variables {
  readonly functions = new Map<string, Statement>()
  /** Lines with commands that may set anything: `source`, `eval`. */
  readonly unseen = new Set<number>()
  /** Where each was set last. */
  readonly lines = new Map<string, number>()
  /** How deep functions call each other. */
  depth = 0
  readonly #outside: (name: string) => string | undefined
  #own: Map<string, Value>

  /** `outside` is what is set before the file. */
  constructor(outside: (name: string) => string | undefined, own: ReadonlyMap<string, Value> = new Map()) {
    this.#outside = outside
    this.#own = new Map(own)
  }

  /** What the file itself has set. */
  get own(): ReadonlyMap<string, Value> {
    return this.#own
  }

  get(name: string): Value {
    return this.#own.has(name) ? this.#own.get(name) : this.#outside(name)
  }

  set(name: string, value: Value): void {
    this.#own.set(name, value)
  }

  /** Runs what may run or not: what differs afterwards is not known. */
  maybe(line: number, ...ways: readonly (() => void)[]): void {
    const before = this.#own
    const results = ways.map((way) => {
      this.#own = new Map(before)
      try {
        way()
      } catch (error) {
        if (!(error instanceof Leave)) throw error
      }
      return this.#own
    })
    const [first = before, ...others] = results.length > 1 ? results : [before, ...results]
    this.#own = new Map(first)
    for (const name of new Set(others.flatMap((other) => [...first.keys(), ...other.keys()])))
      if (others.some((other) => other.get(name) !== first.get(name)))
        this.#own.set(name, new Unknown(line, "depends on a command, and no command is run"))
  }
}
