import { Deadline } from "#core/retry/deadline.ts"
import type { Counts } from "./response.ts"
import { readDocuments } from "./documents.ts"
import { ReadFailure, type Reason, WayClosed } from "./failure.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import type { DigestKind, Reading, Way } from "./reading.ts"
import type { Withheld } from "./rego.ts"
import { type Target, targetKey } from "./target.ts"
import { readByPackage, readByQuery, type Sources } from "./ways.ts"

/** Whole documents are read from few OPAs at once: it is much to count. */
const DOCUMENTS_AT_ONCE = 4
/** Of the time to read an OPA, when digests are asked for; what is left is for counts alone. */
const DIGEST_SHARE = 2 / 3
/** Reasons why digests were not had, with which counts alone may still be. */
const GIVEN_UP: readonly Reason[] = ["timeout", "redirect", "bad_request", "rate_limited", "server_error"]
/** Milliseconds after which a better way is tried again. */
const TRY_AGAIN = 600_000

export interface ReaderOptions extends Sources {
  /** In the order in which they are tried. */
  readonly ways: readonly Way[]
  readonly packageSegments: readonly string[]
  /** Seconds that reading one OPA may take. */
  readonly timeout: number
  /** Bytes that one document may have, uncompressed. */
  readonly documentLimit: number
  readonly now: () => Date
  /** Another value where OPAs may allow other things than before: what they refused is tried again. */
  readonly identity: () => unknown
}

export interface Reader {
  /**
   * Throws ReadFailure. An OPA that can't make digests, or not in time, is read without. `begun` is when the collection
   * began, in milliseconds of performance.now(): its deadline is that of all its reads, but for whole documents, which take
   * turns.
   */
  read(target: Target, digest: DigestKind | undefined, signal: AbortSignal, begun?: number): Promise<Reading>
  /** These are all the OPAs there are: forgets what it learnt about others, and keeps connections unless they are many. */
  keep(targets: readonly Target[]): void
}

interface Time {
  readonly begun: number
  readonly signal: AbortSignal
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
  const documents = limitConcurrency(DOCUMENTS_AT_ONCE)

  const about = (target: Target): Learnt => {
    const address = `${target.address} ${target.port}`
    const identity = options.identity()
    const at = now().getTime()
    const known = learnt.get(targetKey(target))
    if (known?.address === address && known.identity === identity && Math.abs(at - known.since) < TRY_AGAIN)
      return known
    const withheld = { counts: new Set<string>(), digests: new Set<string>() }
    const fresh = { address, identity, since: at, withheld, first: 0 }
    learnt.set(targetKey(target), fresh)
    return fresh
  }

  const count = async (way: Way, target: Target, digest: DigestKind | undefined, known: Learnt, time: Time) => {
    const left = (share: number): number => timeout * share - (performance.now() - time.begun) / 1000
    const by = async (kind: DigestKind | undefined, share: number): Promise<Counts> => {
      if (left(share) <= 0) throw new ReadFailure("timeout", "its turn came after the deadline of the collection")
      using deadline = new Deadline(left(share), time.signal)
      return way === "query"
        ? await readByQuery(options, target, kind, known.withheld, deadline)
        : await readByPackage(options, target, kind, options.packageSegments, deadline)
    }
    if (digest === undefined) return { ...(await by(undefined, 1)), digests: false }
    const [begin, given] = [performance.now(), Math.max(0, left(DIGEST_SHARE))]
    try {
      return { ...(await by(digest, DIGEST_SHARE)), digests: true }
    } catch (error) {
      const closed = error instanceof WayClosed
      // a proxy may wait for less, with a status of its own; a package may have the rule of counts alone
      const isOfDigests = closed ? way === "package" : error instanceof ReadFailure && GIVEN_UP.includes(error.reason)
      if (!isOfDigests) throw error
      const late = error instanceof ReadFailure && error.reason === "timeout"
      const gaveUpAfter = late ? given : (performance.now() - begin) / 1000
      return { ...(await by(undefined, 1)), digests: false, ...(!closed && { gaveUpAfter }) }
    }
  }
  const readDocumentsOf = (target: Target, signal: AbortSignal): Promise<Counts> =>
    documents(async () => {
      using deadline = new Deadline(timeout, signal)
      return await readDocuments(options, target, options.documentLimit, deadline)
    })

  return {
    async read(target, digest, signal, begun = performance.now()) {
      const known = about(target)
      let closed: WayClosed | undefined
      for (let index = known.first; index < ways.length; index += 1) {
        const way = ways[index] ?? "query"
        try {
          const reading =
            way === "documents"
              ? { ...(await readDocumentsOf(target, signal)), digests: false }
              : await count(way, target, digest, known, { begun, signal })
          known.first = index
          return { ...reading, way }
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
      options.client.expect(targets.length)
      const keys = new Set(targets.map(targetKey))
      for (const key of learnt.keys()) if (!keys.has(key)) learnt.delete(key)
    },
  }
}
