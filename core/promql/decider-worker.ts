import { parentPort } from "node:worker_threads"
import type { JudgedRequest, JudgedResult } from "./decider.ts"
import { createCompiler, judge } from "./judge.ts"

const compiler = createCompiler()

// one request at a time: the next is sent after the result
parentPort?.on("message", ({ allowed, selector }: JudgedRequest) => {
  const before = process.threadCpuUsage()
  const verdict = judge(allowed, selector, compiler)
  const { user, system } = process.threadCpuUsage(before)
  const result: JudgedResult = { verdict, seconds: (user + system) / 1e6 }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  parentPort?.postMessage(result)
})
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
parentPort?.postMessage("ready")
