import { parentPort } from "node:worker_threads"
import type { JudgedRequest, JudgedResult } from "./decider.ts"
import { type AllowedSelectors, createCompiler, judge } from "./judge.ts"

const compiler = createCompiler()
let allowed: AllowedSelectors["shared"] = []

// one request at a time: the next is sent after the result
parentPort?.on("message", ({ shared = allowed, enforce, selector }: JudgedRequest) => {
  allowed = shared
  const before = process.threadCpuUsage()
  const verdict = judge({ shared, enforce }, selector, compiler)
  const { user, system } = process.threadCpuUsage(before)
  const result: JudgedResult = { verdict, seconds: (user + system) / 1e6 }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  parentPort?.postMessage(result)
})
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
parentPort?.postMessage("ready")
