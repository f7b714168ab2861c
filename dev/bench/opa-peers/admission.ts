import { setTimeout as delay } from "node:timers/promises"
import type { RunningOpa } from "../../testing/opa.ts"

export interface Latency {
  readonly decisions: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

/** Time that decisions take for some seconds, while something is written each 100 ms and `meanwhile` is done over and over. */
export async function admissionWhile(
  opa: RunningOpa,
  seconds: number,
  meanwhile: () => Promise<unknown>,
): Promise<Latency> {
  const end = performance.now() + seconds * 1000
  const going = (): boolean => performance.now() < end
  const times: number[] = []
  const decide = async (): Promise<void> => {
    while (going()) {
      const begin = performance.now()
      const { status } = await opa.ask("POST", "/v1/data/bench/admit", '{"input":{"namespace":"ns-1"}}')
      times.push(performance.now() - begin)
      if (status !== 200) throw new Error(`OPA responded ${status}`)
      await delay(5)
    }
  }
  const write = async (): Promise<void> => {
    for (let version = 1; going(); version++) {
      await opa.patch("kubernetes/namespaces/ns-1", "replace", "/metadata/resourceVersion", String(version))
      await delay(100)
    }
  }
  const work = async (): Promise<void> => {
    while (going()) {
      await meanwhile()
      await delay(20)
    }
  }
  await Promise.all([decide(), write(), work()])
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN
  return { decisions: sorted.length, p50: at(0.5), p99: at(0.99), worst: at(1) }
}
