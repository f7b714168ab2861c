import { parentPort } from "node:worker_threads"
import { type Grant, judge } from "../authorize.ts"
import type { Selector } from "#core/promql/selector.ts"
import type { Decision } from "./decider.ts"

// one question at a time: who asks waits for the answer
parentPort?.on("message", ({ grant, selector }: { readonly grant: Grant; readonly selector: Selector }) => {
  const before = process.threadCpuUsage()
  const verdict = judge(grant, selector)
  const { user, system } = process.threadCpuUsage(before)
  const decision: Decision = { verdict, seconds: (user + system) / 1e6 }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  parentPort?.postMessage(decision)
})
