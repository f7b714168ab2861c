import type { TestContext } from "node:test"
import assert from "node:assert/strict"
import { need } from "../../../dev/testing/component.ts"
import { COMPLETE } from "../../../dev/testing/cortex.ts"
import { findPrometheus } from "../../../dev/testing/prometheus.ts"
import { keyOf } from "../../../dev/testing/remote-write/elements.ts"
import { readAll } from "../../../dev/testing/remote-write/read-back.ts"
import type { Recorded } from "../../../dev/testing/remote-write/recorder.ts"
import { type Sender, type SenderOptions, startSender } from "../../../dev/testing/remote-write/sender.ts"
import { until } from "../../../dev/testing/until.ts"
import { type Chain, type ChainOptions, startChain } from "./chain.testing.ts"
import { type Balance, balance, elements, first, isSuccess, lacksSeries, type Routed } from "./read-back.testing.ts"

/** Both messages, each by a Prometheus that knows it. */
export const SENDERS = [
  ["2.53", 1],
  ["3.5", 2],
] as const

/** The first has no label. */
export const TENANTS = ["", "red", "blue", "limited"] as const
export const LIMITS = Object.fromEntries(["0", ...TENANTS].map((tenant) => [tenant, COMPLETE]))

/** Series of a tenant are stored for it alone, and without its label. */
export const STRIP = ["--disable-full-replication", "--strip-tenant-label"] as const

/** A real Prometheus that writes through the proxy to a real Cortex. */
export interface Scene {
  readonly chain: Chain
  readonly sender: Sender
}

export async function startScene(
  t: TestContext,
  [prometheus, version]: readonly ["2.53" | "3.5", 1 | 2],
  chainOptions: Partial<ChainOptions> = {},
  senderOptions: Partial<SenderOptions> = {},
): Promise<Scene | undefined> {
  const folder = need(t, findPrometheus(prometheus))
  if (folder === undefined) return undefined
  const chain = await startChain(t, { limits: LIMITS, proxyFlags: STRIP, ...chainOptions })
  if (chain === undefined) return undefined
  const ofSender = { url: chain.url, version, tenants: TENANTS, customBuckets: version === 2, ...senderOptions }
  return { chain, sender: await startSender(t, folder, ofSender) }
}

/** Whether it has scraped so often since this was asked first. */
export function scrapes(sender: Sender, more: number): () => Promise<boolean> {
  let begin: number | undefined
  return async () => {
    const now = await sender.scrapes()
    begin ??= now
    return now >= begin + more
  }
}

/**
 * Ends scraping, and waits until what was scraped is acknowledged, or has a response after which it is not sent again: what
 * was stored before a fault, with samples of the same series that are newer, Cortex takes for out of order when it comes again.
 */
export async function finished(
  { chain, sender }: Scene,
  how: "final" | "acknowledged",
  routing?: Routed,
): Promise<void> {
  await sender.finish()
  let left: readonly string[] = []
  const arrived = until(`all that was scraped to be ${how}`, async () => {
    const scraped = await readAll(sender.prometheus.url)
    const isExcused = lacksSeries(chain, routing)
    const isFinal = (request: Recorded): boolean =>
      isSuccess(request) || (how === "final" && request.status === 400) || isExcused(request)
    const { final = [], tried = [] } = Object.groupBy(chain.received.requests, (one) =>
      isFinal(one) ? "final" : "tried",
    )
    // exemplars are sent after the samples
    const sent = [...scraped, ...elements(tried)].map(keyOf)
    left = [...new Set(sent).difference(new Set(elements(final).map(keyOf)))]
    return left.length === 0
  })
  await arrived.catch((error: unknown) => {
    const failures = chain.received.requests.filter((request) => !isSuccess(request))
    const last = failures.slice(-5).map(({ status, response }) => `${status} ${response.text}`)
    throw new Error(`not ${how}: ${first(left).join("\n")}\nthe last failures: ${last.join("\n")}`, { cause: error })
  })
}

/** Prints what was acknowledged and how much was written twice, and fails where something is lost or another tenant's. */
export async function nothingIsLost(t: TestContext, chain: Chain): Promise<Balance> {
  const result = await balance(chain)
  const { acknowledged, lost, foreign, duplicates } = result
  t.diagnostic(`acknowledged: ${acknowledged} samples, histograms and exemplars; accepted twice: ${duplicates}`)
  assert.deepEqual({ lost, foreign }, { lost: [], foreign: [] })
  return result
}
