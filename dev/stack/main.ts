import { once } from "node:events"
import { join } from "node:path"
import { explain, FedstackError, UsageError } from "#core/errors.ts"
import { readArguments } from "./arguments.ts"
import { statusTable } from "./federation.ts"
import { createProgress } from "./progress.ts"
import { providePrometheus } from "./prometheus.ts"
import { openRun, type Run } from "./run.ts"
import { listenToSignals } from "./signals.ts"
import { startStack, untilFederated } from "./stack.ts"
import { summary } from "./summary.ts"

const ROOT = join(import.meta.dirname, "..", "..")
const started = Number(process.env.FEDSTACK_DEV_STARTED ?? Date.now() / 1000)
const seconds = (): number => Math.max(0, Math.round(Date.now() / 1000 - started))

async function main(): Promise<number> {
  const reading = readArguments(process.argv.slice(2))
  if (reading.kind === "help") {
    process.stdout.write(reading.text)
    return 0
  }
  const progress = createProgress(process.stdout, seconds)
  let run: Run | undefined
  const ending = listenToSignals(() => run?.processes.kill())
  try {
    const { signal } = ending
    const cache = join(ROOT, ".cache")
    const prometheus = await providePrometheus({ env: process.env, cache, say: progress.say, signal })
    run = await openRun(prometheus, join(ROOT, "bin", "fedstack"), progress, signal)
    await supervise(run, reading.values)
    return 0
  } catch (error) {
    if (ending.signal.aborted) return ending.code()
    throw error
  } finally {
    progress.end()
  }
}

/** Runs until a signal ends it, a process dies, or, with `check`, every site is federated; then stops everything. */
async function supervise(run: Run, options: Options): Promise<void> {
  const over = new AbortController()
  const work = up({ ...run, signal: AbortSignal.any([over.signal, run.signal]) }, options)
  try {
    await Promise.race([work, run.processes.failure])
  } finally {
    over.abort()
    run.progress.say("Stopping everything.")
    await run.processes.stop()
    await work.catch(() => undefined) // its error, where it matters, has won the race
    await run.processes.close()
  }
}

interface Options {
  readonly sites: number
  readonly check: boolean
}

async function up(run: Run, { sites, check }: Options): Promise<void> {
  const stack = await startStack(run, sites)
  const statuses = await untilFederated(stack, run)
  run.progress.say(`Every site is federated, ${seconds()} s after the start.\n\n${statusTable(statuses)}`)
  if (check) return
  run.progress.say(`${summary(stack, run.token)}\nLogs are in ${run.folder} until Ctrl-C stops everything.`)
  if (!run.signal.aborted) await once(run.signal, "abort")
}

function report(error: unknown): number {
  if (error instanceof UsageError) {
    for (const { where, message } of error.faults) process.stderr.write(`${where}: ${message}\n`)
    return error.exitCode
  }
  const stack = error instanceof Error && !(error instanceof FedstackError) ? `\n${error.stack}` : ""
  process.stderr.write(`dev/up: ${explain(error)}${stack}\n`)
  return 1
}

process.exit(await main().catch(report))
