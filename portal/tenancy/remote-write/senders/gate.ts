import { createClientGate, LimitExceeded } from "#core/limits/client-limits.ts"
import { type Limits, ownLimits } from "#core/limits/shared-limits.ts"
import type { DebtBucket } from "#core/limits/token-bucket.ts"
import type { Sender } from "./sender.ts"

/** Requests and samples of each sender, by its name. `now`: milliseconds of a clock that only goes forward. */
export function createSenderGate(now: () => number, shared: Limits = ownLimits) {
  const requests = createClientGate(now, shared)
  const samples = new Map<string, { readonly perSecond: number; readonly bucket: DebtBucket }>()

  function bucketOf({ name, limits: { samplesPerSecond: perSecond } }: Sender): DebtBucket {
    const kept = samples.get(name)
    if (kept?.perSecond === perSecond) return kept.bucket
    const bucket = shared.debts(name, { perSecond, burst: perSecond }, now)
    samples.set(name, { perSecond, bucket })
    return bucket
  }

  return {
    /** Counts a request as in flight until the result is called, once. Throws LimitExceeded. */
    enter: (sender: Sender): (() => void) => requests.enter(sender),
    /**
     * Samples and histograms of one request. However many they are, they pass where those before have been paid for: a
     * request that is refused for its size alone would be sent again for ever. Throws LimitExceeded.
     */
    take(sender: Sender, count: number): void {
      const { samplesPerSecond } = sender.limits
      if (samplesPerSecond === Infinity) return
      const wait = bucketOf(sender).spend(count)
      if (wait === 0) return
      const message = `${sender.name} may write ${samplesPerSecond} samples a second; resend later.`
      throw new LimitExceeded("TOO_MANY_SAMPLES", message, wait)
    },
    /** Forgets all other senders. */
    keep(names: ReadonlySet<string>): void {
      requests.keep(names)
      for (const name of samples.keys()) if (!names.has(name)) samples.delete(name)
    },
  }
}
