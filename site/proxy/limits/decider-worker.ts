import { parentPort } from "node:worker_threads"
import { type Grant, judge } from "../authorize.ts"
import type { Selector } from "#core/promql/selector.ts"

// one question at a time: who asks waits for the answer
parentPort?.on("message", ({ grant, selector }: { readonly grant: Grant; readonly selector: Selector }) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  parentPort?.postMessage(judge(grant, selector))
})
