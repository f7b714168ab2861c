import { parentPort, workerData } from "node:worker_threads"
import { readPlainly } from "./read.ts"

// large policies are parsed here, so that requests go on meanwhile
if (parentPort !== null) {
  const { text, file } = workerData as { text: string; file: string }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  parentPort.postMessage(readPlainly(text, file))
}
