import { spawn } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { createInterface } from "node:readline"
import type { Ground } from "./fleet.ts"

export interface Original {
  readonly pid: number
  /** One collection: counts as countsIn has them, and the bytes of all documents in plain text. */
  readonly collect: () => Promise<{ lines: readonly string[]; bytes: number }>
}

/** A process that counts in the original's language and with its library. */
export function startOriginal({ caFile, closers }: Ground, urls: readonly string[]): Original {
  const child = spawn("python3", [join(import.meta.dirname, "original.py"), caFile, ...urls], {
    stdio: ["pipe", "pipe", "inherit"],
  })
  closers.unshift(() => child.kill("SIGKILL"))
  const responses = createInterface(child.stdout)
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`original.py ended with ${code}: is python3-requests installed?`)
  })
  ended.catch(() => undefined) // reported to those that wait for a response
  return {
    pid: child.pid ?? 0,
    async collect() {
      const next = once(responses, "line")
      child.stdin.write("\n")
      const [line] = (await Promise.race([next, ended])) as [string]
      return JSON.parse(line) as { lines: string[]; bytes: number }
    },
  }
}
