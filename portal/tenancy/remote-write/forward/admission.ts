import type { Slice } from "../split/slice.ts"
import type { ForwardBounds } from "./bounds.ts"
import type { AllWaiting, TenantQueue } from "./tenant-queue.ts"

type WaitingBounds = Pick<ForwardBounds, "waitingBytes" | "waitingBytesOfTenant">

/**
 * Why a slice may not wait; undefined where it may. Half of the bytes are for whoever comes first; the other half is for tenants
 * that have not more than their share of it, so that those with a dead upstream cannot take it all. One that nothing waits
 * before may always: it would never be less.
 */
export function refusalOf(
  { bytes }: Pick<Slice, "bytes">,
  queue: Pick<TenantQueue, "waitingBytes" | "tenant">,
  all: AllWaiting,
  { waitingBytes, waitingBytesOfTenant }: WaitingBounds,
): string | undefined {
  const own = queue.waitingBytes + bytes
  if (queue.waitingBytes > 0 && own > waitingBytesOfTenant)
    return `too much waits for tenant ${queue.tenant}, whose upstream requests take long`
  const total = all.bytes + bytes
  if (all.bytes === 0 || total <= waitingBytes / 2) return undefined
  const share = waitingBytes / 2 / (all.tenants + (queue.waitingBytes > 0 ? 0 : 1))
  return own <= share && total <= waitingBytes ? undefined : "too much waits for upstream requests that take long"
}
