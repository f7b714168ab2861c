import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { closeSync, openSync } from "node:fs"
import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import { defineError } from "#core/errors.ts"

export const childDied = defineError(
  "CHILD_DIED",
  500,
  "{name} ended by itself ({how}). The last lines of its log:\n{log}",
)

/** Seconds that a process has to end after SIGTERM, before it is killed. */
const STOP_DEADLINE = 10
const SHOWN_LINES = 15
/** Settings of the components that stand in the user's own environment; what runs here gets flags only. */
const SETTINGS = /^(?:FEDSTACK|PORTAL|OS|USAGE_EXP?ORTER)_/

export interface Program {
  /** Names the log file and the process in messages. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

export interface Process {
  readonly name: string
  signal(name: NodeJS.Signals): void
  /** SIGTERM, and SIGKILL where it goes on; returns when it has ended. */
  stop(): Promise<void>
  /** Settles when it has ended, with its exit code or signal in words. */
  readonly ended: Promise<string>
  /** What it wrote so far. */
  log(): Promise<string>
}

/**
 * Starts programs and stops all of them together. Each runs in a process group of its own, so that Ctrl-C reaches only
 * this process, which then stops them in order; a guard kills them should this process be killed itself.
 */
export class Processes {
  /** Rejects as soon as something ended without which nothing can go on. */
  readonly failure: Promise<never>
  /** Ends everything with this error. */
  readonly fail: (error: Error) => void
  readonly #logs: string
  readonly #folder: string
  readonly #guard: ChildProcess
  readonly #children = new Set<ChildProcess>()
  #stopping = false

  /** Both folders exist; log files stay in `logs`, `folder` is removed at the end. */
  constructor(folder: string, logs: string) {
    const { promise, reject } = Promise.withResolvers<never>()
    promise.catch(() => undefined) // reported to those who await it; unhandled while everything is being stopped
    this.failure = promise
    this.fail = reject
    this.#folder = folder
    this.#logs = logs
    this.#guard = spawn("/bin/sh", [join(import.meta.dirname, "guard.sh"), folder], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    })
    this.#guard.stdin?.on("error", reject)
    void ending(this.#guard).then((how) => reject(childDied({ name: "The guard", how, log: "  (it has none)" })))
  }

  start(program: Program): Process {
    if (this.#stopping) throw new Error(`${program.name} is not started any more: everything is being stopped`)
    const output = openSync(this.logFile(program.name), "a")
    const child = spawn(program.command, program.args, {
      detached: true,
      stdio: ["ignore", output, output],
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => !SETTINGS.test(name))),
    })
    closeSync(output)
    if (child.pid !== undefined) this.#guard.stdin?.write(`${child.pid}\n`)
    this.#children.add(child)
    const ended = ending(child)
    void ended.then(() => this.#children.delete(child))
    return {
      name: program.name,
      ended,
      log: () => this.log(program.name),
      signal: (name) => signal(child, name),
      stop: () => stop([child]),
    }
  }

  /** What the process of this name wrote so far. */
  log(name: string): Promise<string> {
    return readFile(this.logFile(name), "utf8")
  }

  logFile(name: string): string {
    return join(this.#logs, `${name.replaceAll(" ", "-")}.log`)
  }

  /** SIGTERM to all, SIGKILL to those that go on; returns when none is left. */
  async stop(): Promise<void> {
    this.#stopping = true
    await stop([...this.#children])
  }

  /** After `stop`: removes the folder and ends the guard. */
  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true })
    this.#guard.kill("SIGKILL")
    await ending(this.#guard)
  }

  /** SIGKILL to all, at once. The guard removes the folder when this process has ended. */
  kill(): void {
    this.#stopping = true
    for (const child of this.#children) signal(child, "SIGKILL")
  }
}

/** CHILD_DIED of a process that ended. */
export async function died(child: Process, how: string): Promise<Error> {
  return childDied({ name: child.name, how, log: lastLines(await child.log()) })
}

export function lastLines(text: string): string {
  const lines = text.trimEnd().split("\n").slice(-SHOWN_LINES)
  return lines.map((line) => `  ${line === "" ? "(nothing)" : line}`).join("\n")
}

async function stop(children: readonly ChildProcess[]): Promise<void> {
  for (const child of children) signal(child, "SIGTERM")
  const force = setTimeout(() => {
    for (const child of children) signal(child, "SIGKILL")
  }, STOP_DEADLINE * 1000)
  await Promise.all(children.map(ending))
  clearTimeout(force)
}

function signal(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, name)
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error
  }
}

async function ending(child: ChildProcess): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) {
    try {
      await once(child, "exit")
    } catch (error) {
      return String(error) // it never ran
    }
  }
  return child.signalCode ?? `exit code ${child.exitCode}`
}
