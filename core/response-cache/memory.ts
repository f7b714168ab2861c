import { defineError } from "#core/errors.ts"

const memoryFull = defineError(
  "MEMORY_FULL",
  503,
  "The responses in flight fill the memory that they may take; retry later, or raise its limit.",
)
/** The client's own: with a status of its kind where nothing was sent, else a broken connection. */
const memoryShare = defineError(
  "MEMORY_SHARE",
  429,
  "The responses that this client has in flight fill the memory that it may take: read them faster, or request less at once.",
)

/** A response whose bytes count for those who read it, each for an equal part. */
export interface HeldResponse {
  readonly held: number
  /** The names of the clients that read it, each once. */
  readonly readers: ReadonlySet<string>
  /** Ends it for its readers, and gives its bytes back. */
  evict(error: Error): void
}

/** Bytes of all responses that are stored or in flight, and a limit for them. */
export type Memory = ReturnType<typeof boundedMemory>

/**
 * `makeRoom` drops something that can be had again; false where there is nothing left. What it drops may still be in use.
 * Where all that is left is being read, those who hold most give way: of n clients, none that holds less than an n-th of the
 * limit loses a response for another.
 */
export function boundedMemory(limit: number, makeRoom: () => boolean) {
  const held = new Set<HeldResponse>()

  const memory = {
    used: 0,
    limit,
    /** That have readers. */
    held,
    /** False where there is no room, whatever was dropped for it that has no reader. */
    take(bytes: number): boolean {
      while (memory.used + bytes > memory.limit) if (!makeRoom()) return false
      memory.used += bytes
      return true
    },
    /** The same for a response that is read; clients that hold more than its readers lose theirs. Throws where that is not enough. */
    takeFor(response: HeldResponse, bytes: number): void {
      while (!memory.take(bytes)) {
        if (response.readers.size === 0) throw memoryFull({})
        const shares = sharesOf(held, response, bytes)
        const own = Math.min(...[...response.readers].map((name) => shares.get(name) ?? 0))
        const victim = victimOf(held, response, shares, own)
        if (victim === undefined) throw own * shares.size >= memory.limit ? memoryShare({}) : memoryFull({})
        victim.evict(memoryShare({}))
      }
    },
    give(bytes: number): void {
      memory.used -= bytes
    },
  }
  return memory
}

/** What each client holds, where `growing` gets so many bytes more. */
function sharesOf(held: ReadonlySet<HeldResponse>, growing: HeldResponse, more: number): ReadonlyMap<string, number> {
  const shares = new Map<string, number>()
  for (const one of new Set([...held, growing])) {
    const part = (one.held + (one === growing ? more : 0)) / one.readers.size
    for (const name of one.readers) shares.set(name, (shares.get(name) ?? 0) + part)
  }
  return shares
}

/** The largest response that only one client reads, of the client that holds most: more than `own`. */
function victimOf(
  held: ReadonlySet<HeldResponse>,
  growing: HeldResponse,
  shares: ReadonlyMap<string, number>,
  own: number,
): HeldResponse | undefined {
  let victim: HeldResponse | undefined
  let most = own
  for (const one of held) {
    const [name, ...others] = one.readers
    if (one === growing || name === undefined || others.length > 0) continue
    const share = shares.get(name) ?? 0
    if (share < most || share <= own || (share === most && one.held <= (victim?.held ?? 0))) continue
    victim = one
    most = share
  }
  return victim
}
