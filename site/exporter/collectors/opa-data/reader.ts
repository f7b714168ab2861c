import { limitConcurrency } from "#core/limits/concurrency.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { MethodUnavailable, type OpaFailureReason, ReadFailure } from "./failure.ts"
import { readByPackage, readByQuery, type ReadContext, readDocuments } from "./read-methods.ts"
import type { Counts, DigestKind, OpaReading, ReadMethod } from "./reading.ts"
import { nothingWithheld, type Withheld } from "./rego.ts"
import { instanceKey, type OpaTarget } from "./target.ts"

/** Whole documents are read from few OPAs at once: it is much to count. */
const DOCUMENTS_AT_ONCE = 4
/** Of the time to read an OPA, for a request with digests; the rest is for one with counts alone. */
const DIGEST_SHARE = 2 / 3
/** Failures with digests after which counts alone may succeed. */
const MAY_BE_OF_DIGESTS: readonly OpaFailureReason[] = [
  "timeout",
  "redirect",
  "bad_request",
  "rate_limited",
  "server_error",
]
/** Milliseconds after which a better method is tried again. */
const TRY_AGAIN = 600_000

export interface ReaderOptions extends ReadContext {
  /** In the order in which they are tried. */
  readonly methods: readonly ReadMethod[]
  readonly packageSegments: readonly string[]
  /** Seconds that reading one OPA may take. */
  readonly timeout: number
  /** Bytes that one document may have, uncompressed. */
  readonly documentLimit: number
  readonly now: () => Date
  /** Another value where OPAs may allow other things than before: what they refused is tried again. */
  readonly identity: () => unknown
}

export type OpaReader = ReturnType<typeof createReader>

/** What is known of one OPA, for ten minutes. */
interface OpaKnowledge {
  readonly identity: unknown
  readonly since: number
  readonly withheld: Withheld
  /** The first method that was available, and why those before it are not. */
  first: number
  refusal: string | undefined
}

/** Reads each OPA by the best method that it allows, and remembers which that is. */
export function createReader(options: ReaderOptions) {
  const { methods, timeout, now } = options
  const known = new Map<string, OpaKnowledge>()
  const documents = limitConcurrency(DOCUMENTS_AT_ONCE)

  const knowledgeOf = (target: OpaTarget): OpaKnowledge => {
    const [identity, since] = [options.identity(), now().getTime()]
    const before = known.get(instanceKey(target))
    if (before !== undefined && before.identity === identity && Math.abs(since - before.since) < TRY_AGAIN)
      return before
    const fresh = { identity, since, withheld: nothingWithheld(), first: 0, refusal: undefined }
    known.set(instanceKey(target), fresh)
    return fresh
  }

  const read = async (
    method: ReadMethod,
    target: OpaTarget,
    digest: DigestKind | undefined,
    withheld: Withheld,
    begun: number,
    signal: AbortSignal,
  ): Promise<Omit<OpaReading, "method">> => {
    if (method === "documents") {
      const counts = await documents(async () => {
        using deadline = new Deadline(timeout, signal)
        return await readDocuments(options, target, options.documentLimit, deadline)
      })
      return { ...counts, digests: false }
    }
    const left = (share: number): number => timeout * share - (performance.now() - begun) / 1000
    const count = async (kind: DigestKind | undefined, share: number): Promise<Counts> => {
      if (left(share) <= 0) throw new ReadFailure("timeout", "its turn came after the deadline of the collection")
      using deadline = new Deadline(left(share), signal)
      return method === "query"
        ? await readByQuery(options, target, kind, withheld, deadline)
        : await readByPackage(options, target, kind, options.packageSegments, deadline)
    }
    if (digest === undefined) return { ...(await count(undefined, 1)), digests: false }
    const [begin, given] = [performance.now(), Math.max(0, left(DIGEST_SHARE))]
    try {
      return { ...(await count(digest, DIGEST_SHARE)), digests: true }
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error
      const unavailable = error instanceof MethodUnavailable
      // a proxy may wait for less, with a status of its own; a package may have the rule of counts alone
      if (unavailable ? method !== "package" : !MAY_BE_OF_DIGESTS.includes(error.reason)) throw error
      const digestsFailedAfter = error.reason === "timeout" ? given : (performance.now() - begin) / 1000
      return { ...(await count(undefined, 1)), digests: false, ...(!unavailable && { digestsFailedAfter }) }
    }
  }

  return {
    /**
     * Throws ReadFailure. An OPA that cannot make digests, or not in time, is read without. `begun` is when the collection
     * began, in milliseconds of performance.now(): its deadline is that of all its reads, but for whole documents, which
     * take turns.
     */
    async read(
      target: OpaTarget,
      digest: DigestKind | undefined,
      signal: AbortSignal,
      begun = performance.now(),
    ): Promise<OpaReading> {
      const knowledge = knowledgeOf(target)
      let unavailable: MethodUnavailable | undefined
      for (const [index, method] of methods.entries()) {
        if (index < knowledge.first) continue
        try {
          const reading = await read(method, target, digest, knowledge.withheld, begun, signal)
          if (unavailable !== undefined) knowledge.refusal = unavailable.message
          knowledge.first = index
          return { ...reading, method }
        } catch (error) {
          if (!(error instanceof MethodUnavailable)) throw error
          // the first refusal explains most: the other methods may not have been set up at all
          unavailable ??= error
        }
      }
      known.delete(instanceKey(target)) // next time all methods again
      throw unavailable ?? new Error("there is no method to read an OPA")
    },
    /** Why an OPA is not read by the first method, as far as that was tried. */
    refusalOf: (target: OpaTarget): string | undefined => known.get(instanceKey(target))?.refusal,
    /** These are all the OPAs there are: forgets what it knows of others, and keeps connections unless they are many. */
    keep(targets: readonly OpaTarget[]): void {
      options.client.expect(targets.length)
      const keys = new Set(targets.map(instanceKey))
      for (const key of known.keys()) if (!keys.has(key)) known.delete(key)
    },
  }
}
