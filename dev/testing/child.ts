import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"

export interface Child {
  readonly process: ChildProcess
  /** All that it wrote so far, both streams. */
  output(): string
  /** Exit code, or the signal's name. */
  readonly ended: Promise<number | string>
  /** SIGTERM, SIGKILL after 10 s; the exit code or signal. */
  stop(signal?: NodeJS.Signals): Promise<number | string>
}

const running = new Set<ChildProcess>()
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL")
})
// ended by dev/test, a test file still ends what it started: without this, there is no "exit" event
process.once("SIGTERM", () => process.exit(143))

/** Starts a program whose output is kept; it never outlives the test process by more than its own shutdown. */
export function start(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] })
  const chunks: Buffer[] = []
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk))
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string)
  ended.catch((error: unknown) => chunks.push(Buffer.from(String(error))))
  running.add(child)
  void ended.finally(() => running.delete(child)).catch(() => undefined)
  return {
    process: child,
    output: () => Buffer.concat(chunks).toString("utf8"),
    ended,
    async stop(signal = "SIGTERM") {
      child.kill(signal)
      const force = setTimeout(() => child.kill("SIGKILL"), 10_000)
      const result = await ended
      clearTimeout(force)
      return result
    },
  }
}
