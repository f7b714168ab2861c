import { once } from "node:events"
import { availableParallelism } from "node:os"
import { join } from "node:path"
import { explain, FedstackError, UsageError } from "#core/errors.ts"
import { readArguments } from "./arguments.ts"
import { breakableList, LIST } from "./breakable.ts"
import { type BrokenSites, startBrokenSites } from "./broken-sites.ts"
import { untilDiagnosed } from "./diagnosis.ts"
import { statusTable } from "./federation.ts"
import { hasRoom, planStart } from "./machine.ts"
import { createProgress } from "./progress.ts"
import { providePrometheus } from "./prometheus.ts"
import { openRun, type Run } from "./run.ts"
import { listenToSignals } from "./signals.ts"
import { type StartOptions, startStack, untilFederated } from "./stack.ts"
import { followStopped } from "./stopped.ts"
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
  const { sites, breaks, check, force } = reading.values
  const broken = breaks.flat()
  if (broken.includes(LIST)) {
    process.stdout.write(breakableList())
    return 0
  }
  const machine = { cpus: availableParallelism(), availableMemory: process.availableMemory() }
  const plan = planStart(sites, force, machine)
  const progress = createProgress(process.stdout, seconds)
  for (const warning of plan.warnings) progress.say(warning)
  let run: Run | undefined
  const ending = listenToSignals(() => run?.processes.kill())
  try {
    const { signal } = ending
    const cache = join(ROOT, ".cache")
    const prometheus = await providePrometheus({ env: process.env, cache, say: progress.say, signal })
    run = await openRun({
      prometheus,
      fedstack: join(ROOT, "bin", "fedstack"),
      logs: join(cache, "up"),
      interval: plan.interval,
      strict: check,
      progress,
      signal,
    })
    const hasRoomNow = () => force || hasRoom({ availableMemory: process.availableMemory() })
    await supervise(run, { sites, broken, check, workers: plan.workers, hasRoom: hasRoomNow })
    return 0
  } catch (error) {
    if (ending.signal.aborted) return ending.code()
    throw error
  } finally {
    progress.end()
  }
}

/** Runs until a signal ends it, or, with `check`, every site is federated or a process dies; then stops everything. */
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

interface Options extends StartOptions {
  readonly check: boolean
  /** Names of what is broken on purpose. */
  readonly broken: readonly string[]
}

async function up(run: Run, options: Options): Promise<void> {
  const broken = await startBrokenSites(options.broken, run.prometheus.version)
  try {
    await upWith(run, options, broken)
  } finally {
    await broken.close()
  }
}

async function upWith(run: Run, options: Options, broken: BrokenSites): Promise<void> {
  const stack = await startStack(run, options, broken)
  const page = `${stack.portal.portal}/`
  run.progress.say(`Open the portal's page, which shows who delivers, who does not, why, and what to do: ${page}`)
  const statuses = await untilFederated(stack, run)
  const all =
    stack.sites.length === options.sites ? "Every site is" : `${stack.sites.length} of ${options.sites} sites are`
  run.progress.say(`${all} federated, ${seconds()} s after the start.\n\n${statusTable(statuses)}`)
  if (broken.sites.length > 0) {
    const diagnosis = untilDiagnosed(stack.portal.portal, broken.sites, run)
    run.progress.say(await (options.check ? diagnosis : diagnosis.catch(unlessOver(run.signal))))
  }
  if (options.check) return
  const stopped = join(run.folder, "stopped")
  const following = followStopped(stopped, stack.sites, run)
  run.progress.say(summary(stack, run, stopped))
  await Promise.race([following, run.signal.aborted || once(run.signal, "abort")])
}

/** A diagnosis that is not as expected is printed, and does not end a run that a user looks at. */
const unlessOver =
  (signal: AbortSignal) =>
  (error: unknown): string => {
    if (signal.aborted) throw error
    return explain(error)
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
