import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import { audit, type Check, checks } from "./checks.ts"
import { coverageOutcome, showCoverage } from "./coverage.ts"
import { allMustRun, type Outcome, report } from "./outcome.ts"
import { AT_ONCE, matches, type Plan, planTests } from "./plan.ts"
import { runSuites, statusLine } from "./suites.ts"
import { startUsage } from "./usage.ts"
import { runAtOnce } from "./at-once.ts"

/** The same text is shown by dev/test, without installing anything. */
const help = (): string => readFileSync(join(import.meta.dirname, "help.txt"), "utf8")

const CHECKS_AT_ONCE = 2
/** Seconds: more than the longest test with real components may take. */
const SILENCE = 1000

/** Programs in Go (the compiler, promtool, the real components) end soon: collecting their garbage late saves up to a quarter of their CPU time. */
const GO_GARBAGE_PERCENT = "400"

const root = process.cwd()
const print = (text: string): void => void process.stdout.write(text)

async function main(argv: readonly string[]): Promise<number> {
  const { wantsHelp, patterns } = readArguments(argv)
  if (wantsHelp) {
    print(help())
    return 0
  }
  const chosen = checks.filter(({ name }) => matches(name, patterns))
  const tests = planTests(root, patterns)
  if (chosen.length + tests.unit.length + tests.busy.length + tests.waiting.length === 0) {
    process.stderr.write(`dev/test: no check and no test file matches ${patterns.join(" or ")}\n`)
    return 2
  }
  const ending = new AbortController()
  process.once("SIGINT", () => ending.abort()).once("SIGTERM", () => ending.abort())
  const { signal } = ending
  process.env.GOGC ??= GO_GARBAGE_PERCENT
  const everything = patterns.length === 0

  const found: Outcome[] = []
  for (const run of [
    () => runChecks(chosen, everything, signal),
    () => runUnitTests(tests.unit, everything, signal),
    () => runRealTests(tests, signal),
  ]) {
    const usage = startUsage()
    found.push(...(await run()))
    if (everything && !signal.aborted) print(`  info    all of this: ${usage()}\n`)
  }
  const outcomes = process.env.FEDSTACK_TEST_ALL === "1" ? found.map(allMustRun) : found
  if (signal.aborted) print("\nEnded before all was done.\n")
  print(report(outcomes))
  if (signal.aborted) return 130
  return outcomes.some(({ kind }) => kind === "failed") ? 1 : 0
}

async function runChecks(
  chosen: readonly Check[],
  withAudit: boolean,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  if (chosen.length > 0) print("Checks\n")
  const jobs = chosen.map(({ name, run }) => async (): Promise<readonly Outcome[]> => {
    if (signal.aborted) return []
    const start = performance.now()
    const reason = await run(root).catch((error: unknown) => `it cannot run: ${String(error)}`)
    print(statusLine(reason === "" ? "ok" : "FAILED", name, performance.now() - start))
    return [{ kind: reason === "" ? "passed" : "failed", name, where: "", reason }]
  })
  const outcomes = (await runAtOnce(CHECKS_AT_ONCE, jobs)).flat()
  if (withAudit && !signal.aborted) print(`  info    npm audit: ${await audit(root)}\n`)
  return outcomes
}

async function runUnitTests(
  files: readonly string[],
  measure: boolean,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  if (files.length > 0) print("\nUnit and property tests\n")
  const kept = process.env.NODE_COMPILE_CACHE
  // what one test file compiled and cached would be missing from the coverage of the next
  if (measure) delete process.env.NODE_COMPILE_CACHE
  const coverageOf = measure ? ["core/**/*.ts", "site/**/*.ts", "portal/**/*.ts"] : []
  const suites = { root, files, concurrency: AT_ONCE, coverageOf, silence: 180, signal, print }
  const { outcomes, coverage } = await runSuites(suites)
  if (kept !== undefined) process.env.NODE_COMPILE_CACHE = kept
  if (!measure || files.length === 0 || signal.aborted) return outcomes
  if (coverage !== undefined) print(`\nCoverage by unit tests, percent\n${showCoverage(coverage, root)}`)
  return [...outcomes, coverageOutcome(coverage)]
}

async function runRealTests({ busy, waiting }: Plan, signal: AbortSignal): Promise<readonly Outcome[]> {
  if (busy.length + waiting.length === 0) return []
  await findPrometheus(signal)
  print("\nTests with real components\n")
  const run = (file: string) => async (): Promise<readonly Outcome[]> => {
    if (signal.aborted) return []
    const one = { root, files: [file], concurrency: 1, coverageOf: [], silence: SILENCE, signal, print }
    return (await runSuites(one)).outcomes
  }
  const allBusy = async (): Promise<readonly Outcome[]> => (await runAtOnce(1, busy.map(run))).flat()
  return (await runAtOnce(AT_ONCE, [allBusy, ...waiting.map(run)])).flat()
}

/** Tests look for Prometheus in FEDSTACK_PROMETHEUS_DIR and PATH. Where both have none, this provides what dev/up uses. */
async function findPrometheus(signal: AbortSignal): Promise<void> {
  if (process.env.FEDSTACK_PROMETHEUS_DIR !== undefined || signal.aborted) return
  const say = (text: string): void => print(`${text}\n`)
  try {
    // only now: checks must run even where this code is broken
    const { providePrometheus } = await import("../stack/prometheus.ts")
    const { binary } = await providePrometheus({ env: process.env, cache: join(root, ".cache"), say, signal })
    process.env.FEDSTACK_PROMETHEUS_DIR = dirname(binary)
  } catch (error) {
    print(`\nTests that need Prometheus are skipped. ${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function readArguments(argv: readonly string[]): { readonly wantsHelp: boolean; readonly patterns: readonly string[] } {
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { help: { type: "boolean", short: "h", default: false } },
    allowPositionals: true,
  })
  return { wantsHelp: values.help, patterns: positionals }
}

try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  if (error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")) {
    process.stderr.write(`dev/test: ${error.message}. See --help.\n`)
    process.exit(2)
  }
  // not thrown on: node:test takes it for the fault of a test, and waits for ever
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  print(report([{ kind: "failed", name: "dev/test itself", where: "", reason }]))
  process.exit(1)
}
