import { ConfigurationError, type Fault, type UsageError } from "#core/errors.ts"

type FaultsKind = typeof ConfigurationError | typeof UsageError

/** What is wrong in configuration, collected while it is read, so that all of it is reported at once. */
export class Faults {
  readonly #found: Fault[] = []

  get any(): boolean {
    return this.#found.length > 0
  }

  /** `where` is a place such as `sites.yaml:3:5 sites[0].url` or `--port`. */
  add(where: string, message: string): void {
    this.#found.push({ where, message })
  }

  /** What `make` returns; undefined where it throws a ConfigurationError, whose faults are kept. */
  collect<T>(make: () => T): T | undefined {
    try {
      return make()
    } catch (error) {
      return this.#keep(error)
    }
  }

  /** The same for what comes later. */
  collectFrom<T>(coming: Promise<T>): Promise<T | undefined> {
    return coming.catch((error: unknown) => this.#keep(error))
  }

  #keep(error: unknown): undefined {
    if (!(error instanceof ConfigurationError)) throw error
    this.#found.push(...error.faults)
  }

  /** Throws all of them where there are any: a UsageError where they are of flags and variables. */
  orThrow(Kind: FaultsKind = ConfigurationError): void {
    if (this.any) throw this.toError(Kind)
  }

  /** All of them, each file's in the order of its lines. */
  toError(Kind: FaultsKind = ConfigurationError): ConfigurationError | UsageError {
    return new Kind(inOrder(this.#found))
  }
}

function inOrder(faults: readonly Fault[]): readonly Fault[] {
  const placed = faults.map((fault) => {
    const [, file = fault.where, line = 0, column = 0] = /^(.+?):(\d+)(?::(\d+))?(?: |$)/.exec(fault.where) ?? []
    return { fault, file, line: Number(line), column: Number(column) }
  })
  return [...Map.groupBy(placed, ({ file }) => file).values()]
    .flatMap((ofFile) => ofFile.toSorted((a, b) => a.line - b.line || a.column - b.column))
    .map(({ fault }) => fault)
}

/** Every item of which there is an earlier one with the same key, with the first of those. Undefined: it has no key. */
export function duplicates<T>(
  items: readonly T[],
  keyOf: (item: T) => string | undefined,
): readonly (readonly [item: T, first: T])[] {
  const first = new Map<string, T>()
  return items.flatMap((item) => {
    const key = keyOf(item)
    if (key === undefined) return []
    const earlier = first.get(key)
    if (earlier === undefined) first.set(key, item)
    return earlier === undefined ? [] : [[item, earlier] as const]
  })
}
