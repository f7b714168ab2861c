import { readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { parseArgs } from "node:util"
import { audit, type Check, checks } from "./checks.ts"
import { coverageOutcome, showCoverage } from "./coverage.ts"
import { allMustRun, type Outcome, report } from "./outcome.ts"
import { matches, type Plan, planTests } from "./plan.ts"
import { runSuites, statusLine } from "./suites.ts"

/** The same text is shown by dev/test, without installing anything. */
const help = (): string => readFileSync(join(import.meta.dirname, "help.txt"), "utf8")

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
  if (chosen.length + tests.unit.length + tests.e2e.length + tests.alone.length === 0) {
    process.stderr.write(`dev/test: no check and no test file matches ${patterns.join(" or ")}\n`)
    return 2
  }
  const ending = new AbortController()
  process.once("SIGINT", () => ending.abort()).once("SIGTERM", () => ending.abort())
  const { signal } = ending
  const everything = patterns.length === 0

  const checked = await runChecks(chosen, signal)
  if (everything && !signal.aborted) print(`  info    npm audit: ${await audit(root)}\n`)
  const found = [
    ...checked,
    ...(await runUnitTests(tests.unit, everything, signal)),
    ...(await runRealTests(tests, signal)),
  ]
  const outcomes = process.env.FEDSTACK_TEST_ALL === "1" ? found.map(allMustRun) : found
  if (signal.aborted) print("\nEnded before all was done.\n")
  print(report(outcomes))
  if (signal.aborted) return 130
  return outcomes.some(({ kind }) => kind === "failed") ? 1 : 0
}

async function runChecks(chosen: readonly Check[], signal: AbortSignal): Promise<Outcome[]> {
  if (chosen.length > 0) print("Checks\n")
  const outcomes: Outcome[] = []
  for (const { name, run } of chosen) {
    if (signal.aborted) break
    const start = performance.now()
    const reason = await run(root).catch((error: unknown) => `it cannot run: ${String(error)}`)
    print(statusLine(reason === "" ? "ok" : "FAILED", name, performance.now() - start))
    outcomes.push({ kind: reason === "" ? "passed" : "failed", name, where: "", reason })
  }
  return outcomes
}

async function runUnitTests(
  files: readonly string[],
  measure: boolean,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  if (files.length > 0) print("\nUnit and property tests\n")
  // what one test file compiled and cached would be missing from the coverage of the next
  delete process.env.NODE_COMPILE_CACHE
  const coverageOf = measure ? ["core/**/*.ts", "site/**/*.ts", "portal/**/*.ts"] : []
  const { outcomes, coverage } = await runSuites({
    root,
    files,
    concurrency: 2,
    coverageOf,
    silence: 180,
    signal,
    print,
  })
  if (!measure || files.length === 0 || signal.aborted) return outcomes
  if (coverage !== undefined) print(`\nCoverage by unit tests, percent\n${showCoverage(coverage, root)}`)
  return [...outcomes, coverageOutcome(coverage)]
}

async function runRealTests({ e2e, alone }: Plan, signal: AbortSignal): Promise<Outcome[]> {
  if (e2e.length + alone.length > 0) await findPrometheus(signal)
  const sections = [
    { title: "Tests with real components", files: e2e, concurrency: 2, silence: 300 },
    { title: "Tests that need the machine for themselves", files: alone, concurrency: 1, silence: 1500 },
  ]
  const all: Outcome[] = []
  for (const { title, files, concurrency, silence } of sections) {
    if (files.length > 0) print(`\n${title}\n`)
    const { outcomes } = await runSuites({ root, files, concurrency, coverageOf: [], silence, signal, print })
    all.push(...outcomes)
  }
  return all
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
