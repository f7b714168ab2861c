import { LRUCache } from "lru-cache"
import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import type { Metadata } from "../format/metadata.ts"

/** Milliseconds: senders send what they know of families once a minute. */
const FRESH = 60_000
/** Milliseconds: a new tenant has none until its senders send it, which is soon. */
const FRESH_WHERE_NONE = 5000
/** Milliseconds until it is tried again. */
const AFTER_FAILURE = 10_000
/** Seconds that series wait for it, where there was none yet. */
const WAITED = 2
/** Tenants, and families of all of them. */
const KEPT = 1000
const FAMILIES_KEPT = 200_000
const NONE: Metadata = new Map()

interface Known {
  readonly metadata: Metadata
  /** Milliseconds: then it is read again. */
  readonly until: number
  /** The store had none, and responded: then series wait for the next reading. */
  readonly none: boolean
  readonly logFailure: (problem: string | undefined) => void
}

/**
 * What a store knows of families, read again after a minute, once for all that wait. Without it series are still right, though
 * without type and help: so a store that fails delays none, and what was known before is used.
 */
export function createMetadataCache(now: () => number, log: Logger) {
  const known = new LRUCache<string, Known>({
    max: KEPT,
    maxSize: FAMILIES_KEPT,
    sizeCalculation: ({ metadata }) => 1 + metadata.size,
  })
  const reading = new Map<string, Promise<void>>()

  const failureLog = (tenant: string): Known["logFailure"] =>
    logChanges((cause: string | undefined) => {
      if (cause === undefined) log.info({ tenant }, "metadata can be read again")
      else
        log.warn(
          { tenant, cause },
          "metadata cannot be read, series go without type and help, or with those known before",
        )
    })

  async function refresh(key: string, tenant: string, read: () => Promise<Metadata>): Promise<void> {
    const before = known.get(key)
    const logFailure = before?.logFailure ?? failureLog(tenant)
    let metadata: Metadata
    let until = FRESH
    let none = false
    try {
      metadata = await read()
      none = metadata.size === 0
      if (none) until = FRESH_WHERE_NONE
      logFailure(undefined)
    } catch (error) {
      logFailure(explain(error))
      metadata = before?.metadata ?? NONE
      until = AFTER_FAILURE
    }
    known.set(key, { metadata, until: now() + until, none, logFailure })
    reading.delete(key)
  }

  return {
    /** `key`: of the store and the tenant. `read` has a deadline of its own. Never rejects, but for what aborted `signal`. */
    async of(key: string, tenant: string, read: () => Promise<Metadata>, signal: AbortSignal): Promise<Metadata> {
      const entry = known.get(key)
      if (entry !== undefined && now() < entry.until) return entry.metadata
      let running = reading.get(key)
      if (running === undefined) reading.set(key, (running = refresh(key, tenant, read)))
      if (entry?.none === false) return entry.metadata
      await doneWithin(WAITED, running, signal)
      return known.get(key)?.metadata ?? NONE
    },
  }
}
