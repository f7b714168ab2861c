import type { Forward } from "./forward/outcome.ts"
import type { RequestKey } from "./outcome/request-key.ts"
import type { Resends } from "./outcome/resends.ts"
import { keyed } from "./outcome/slice-keys.ts"
import { judge, type Part } from "./outcome/verdict.ts"
import type { Slice, Split } from "./split/slice.ts"

export interface DeliveryContext {
  readonly forward: Forward
  readonly resends: Resends
  /** Milliseconds after which a tenant that is still limited counts as one that refused. */
  readonly limitedTime: number
  readonly now: () => number
}

export interface Delivery {
  readonly key: RequestKey
  readonly split: Split
  /** Names what decided where series go. */
  readonly rules: () => string
  readonly attempt: number | undefined
  /** Aborted when the sender goes away before its response. */
  readonly gone: AbortSignal
}

/** The parts of a request by their keys, for the response and for what is remembered. */
export type Parts = ReadonlyMap<string, Part>

/** Sends each slice that an earlier request with the same body has not delivered. Never throws. */
export async function deliver(
  { key, split, rules, attempt, gone }: Delivery,
  { forward, resends, limitedTime, now }: DeliveryContext,
): Promise<Parts> {
  const earlier = resends.find(key, rules)
  const send = async (slice: Slice, limitedSince: number | undefined): Promise<Part> => {
    const outcome = await forward(slice, { retryAttempt: attempt, signal: gone })
    return judge(slice, outcome, limitedSince, now(), limitedTime)
  }
  const pending = new Map<string, Promise<Part>>()
  for (const [id, slice] of keyed(split.slices)) {
    const known = earlier?.get(id)
    const part = known !== undefined && "part" in known ? Promise.resolve(known.part) : send(slice, known?.limitedSince)
    pending.set(id, part)
  }
  const leave = (): void => resends.expect(key, rules, pending)
  gone.addEventListener("abort", leave, { once: true })
  if (gone.aborted) leave()
  const parts = new Map<string, Part>()
  for (const [id, part] of pending) parts.set(id, await part)
  gone.removeEventListener("abort", leave)
  return parts
}
