import { readDocuments } from "./documents.ts"
import { WayClosed } from "./failure.ts"
import { gate } from "./parallel.ts"
import type { DigestKind, Reading, Way } from "./reading.ts"
import type { Withheld } from "./rego.ts"
import { type Target, targetKey } from "./target.ts"
import { readByPackage, readByQuery, type Sources } from "./ways.ts"

/** Whole documents are read from few OPAs at once: it is much to count. */
const DOCUMENTS_AT_ONCE = 4
/** Milliseconds after which a better way is tried again. */
const TRY_AGAIN = 600_000

export interface ReaderOptions extends Sources {
  /** In the order in which they are tried. */
  readonly ways: readonly Way[]
  readonly packageSegments: readonly string[]
  /** Seconds that reading one OPA in one way may take. */
  readonly timeout: number
  /** Bytes that one document may have, uncompressed. */
  readonly documentLimit: number
  readonly now: () => Date
  /** Another value where OPAs may allow other things than before: what they refused is tried again. */
  readonly identity: () => unknown
}

export interface Reader {
  /** Throws ReadFailure. */
  read(target: Target, digest: DigestKind | undefined, signal: AbortSignal): Promise<Reading>
  /** Forgets what it learnt about OPAs that are not among these. */
  keep(targets: readonly Target[]): void
}

interface Learnt {
  readonly address: string
  readonly identity: unknown
  readonly since: number
  readonly withheld: Withheld
  /** The first way that was open. */
  first: number
}

/** Reads one OPA after another in the best way that each allows, and remembers which that is. */
export function createReader(options: ReaderOptions): Reader {
  const { ways, timeout, now } = options
  const learnt = new Map<string, Learnt>()
  const documents = gate(DOCUMENTS_AT_ONCE)

  const about = (target: Target): Learnt => {
    const address = `${target.address} ${target.port}`
    const identity = options.identity()
    const at = now().getTime()
    const known = learnt.get(targetKey(target))
    if (known?.address === address && known.identity === identity && at - known.since < TRY_AGAIN) return known
    const withheld = { counts: new Set<string>(), digests: new Set<string>() }
    const fresh = { address, identity, since: at, withheld, first: 0 }
    learnt.set(targetKey(target), fresh)
    return fresh
  }

  const readIn = (way: Way, target: Target, digest: DigestKind | undefined, known: Learnt, signal: AbortSignal) => {
    const inTime = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => within(timeout, signal, work)
    if (way === "query") return inTime((limited) => readByQuery(options, target, digest, known.withheld, limited))
    if (way === "package") {
      return inTime((limited) => readByPackage(options, target, digest, options.packageSegments, limited))
    }
    return documents(() => inTime((limited) => readDocuments(options, target, options.documentLimit, limited)))
  }

  return {
    async read(target, digest, signal) {
      const known = about(target)
      let closed: WayClosed | undefined
      for (let index = known.first; index < ways.length; index += 1) {
        const way = ways[index] ?? "query"
        try {
          const counts = await readIn(way, target, digest, known, signal)
          known.first = index
          return { ...counts, way, digests: digest !== undefined && way !== "documents" }
        } catch (error) {
          if (!(error instanceof WayClosed)) throw error
          // the first refusal says most: the others are of ways that nobody may have set up
          closed ??= error
        }
      }
      learnt.delete(targetKey(target)) // next time all ways again
      throw closed ?? new Error("there is no way to read an OPA")
    },
    keep(targets) {
      const keys = new Set(targets.map(targetKey))
      for (const key of learnt.keys()) if (!keys.has(key)) learnt.delete(key)
    },
  }
}

/** Does `work` with a signal of its own that is aborted after some seconds, or with `signal`. */
async function within<T>(seconds: number, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const controller = new AbortController()
  const abort = (): void => controller.abort()
  const timer = setTimeout(abort, seconds * 1000)
  signal.addEventListener("abort", abort)
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", abort)
  }
}
