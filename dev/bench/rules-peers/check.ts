import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"

export interface Checked {
  readonly code: number
  readonly seconds: number
  /** MB that were resident at most. */
  readonly resident: number
}

/** Runs a program to its end. */
export async function runToEnd(command: string, args: readonly string[]): Promise<Checked> {
  const begin = performance.now()
  const child = spawn(command, args, { stdio: "ignore" })
  let resident = 0
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, "utf8")
      resident = Math.max(resident, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024)
    } catch {
      // it has ended
    }
  }, 2)
  try {
    const [code] = (await once(child, "close")) as [number]
    return { code, seconds: (performance.now() - begin) / 1000, resident }
  } finally {
    clearInterval(timer)
  }
}
