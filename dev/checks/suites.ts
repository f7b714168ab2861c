import { relative } from "node:path"
import { run } from "node:test"
import type { EventData } from "node:test"
import type { Outcome } from "./outcome.ts"

export type Coverage = EventData.TestCoverage["summary"]

export interface SuiteOptions {
  readonly root: string
  /** Absolute paths; each runs in a process of its own. */
  readonly files: readonly string[]
  readonly concurrency: number
  /** Globs of the sources whose coverage is measured; none: not measured. */
  readonly coverageOf: readonly string[]
  /** Seconds without any event after which the run is ended: a file that hangs would hold it for ever. */
  readonly silence: number
  readonly signal: AbortSignal
  readonly print: (text: string) => void
}

export interface SuiteResult {
  readonly outcomes: readonly Outcome[]
  readonly coverage: Coverage | undefined
}

const FOR_TESTS = ["**/*.test.ts", "**/testing.ts", "**/*.testing.ts"]
const WHOLE_FILE = "the file as a whole"
const FAST_CHECK_SEED = new URL("../testing/fast-check-seed.ts", import.meta.url).href

/** Runs test files side by side and prints a line for each that is done. */
export async function runSuites(options: SuiteOptions): Promise<SuiteResult> {
  const { root, files, concurrency, coverageOf, print } = options
  if (files.length === 0) return { outcomes: [], coverage: undefined }
  const ending = new AbortController()
  const stopped = options.signal.aborted ? options.signal : AbortSignal.any([options.signal, ending.signal])
  const stream = run({
    files,
    concurrency,
    signal: stopped,
    execArgv: process.env.FEDSTACK_TEST_SEED === undefined ? [] : [`--import=${FAST_CHECK_SEED}`],
    ...(coverageOf.length === 0
      ? {}
      : { coverage: true, coverageIncludeGlobs: coverageOf, coverageExcludeGlobs: FOR_TESTS }),
  })

  const byFile = new Map<string, Outcome[]>(files.map((file) => [file, []]))
  const output = new Map<string, string>()
  const enclosing = new Map<string, string[]>()
  const finished = new Set<string>()
  let coverage: Coverage | undefined
  const watchdog = setTimeout(() => ending.abort(), options.silence * 1000)

  for await (const event of stream) {
    watchdog.refresh()
    if (event.type === "test:coverage") coverage = event.data.summary
    // a process that is ended early reports no sum
    if (event.type === "test:summary" && event.data.file !== undefined) finished.add(event.data.file)
    if (event.type === "test:stdout" || event.type === "test:stderr" || event.type === "test:diagnostic") {
      const { message } = event.data
      const file = entryOf(event.data)
      output.set(file, `${output.get(file) ?? ""}${message}${event.type === "test:diagnostic" ? "\n" : ""}`)
    }
    if (event.type === "test:dequeue") {
      const file = entryOf(event.data)
      const names = enclosing.get(file) ?? []
      enclosing.set(file, [...names.slice(0, event.data.nesting), event.data.name])
    }
    // not test:pass and test:fail: those are held back until everything declared earlier is done
    if (event.type === "test:complete") {
      const { file = "", name, line, nesting, details } = event.data
      const entry = entryOf(event.data)
      const around = (enclosing.get(entry) ?? []).slice(0, nesting)
      const outcomes = byFile.get(entry) ?? []
      byFile.set(entry, outcomes)
      const outcome = outcomeOf(event.data, [...around, name], `${relative(root, file)}:${line}`)
      if (outcome !== undefined) outcomes.push(outcome)
      if (name === file) print(fileLine(relative(root, file), outcomes, details.duration_ms))
    }
  }
  clearTimeout(watchdog)
  // known only now: sums are held back until every file before theirs is done
  for (const [file, all] of stopped.aborted ? [] : byFile) {
    if (finished.has(file) || all.some(({ name }) => name === WHOLE_FILE)) continue
    const where = `${relative(root, file)}:1`
    all.push({ kind: "failed", name: WHOLE_FILE, where, reason: "its process ended before its last test was done" })
  }
  const outcomes = [...byFile].flatMap(([file, all]) => all.map((outcome) => withOutput(outcome, output.get(file))))
  return { outcomes, coverage }

  function outcomeOf(data: EventData.TestComplete, names: string[], where: string): Outcome | undefined {
    const isFile = data.name === data.file
    const name = isFile ? WHOLE_FILE : names.join(" › ")
    const { details, skip, todo } = data
    if ("error" in details && details.error !== undefined) {
      const { failureType, cause, exitCode, signal } = details.error as FailedTest
      if (failureType === "subtestsFailed") return undefined // those are counted themselves
      const reason = ending.signal.aborted
        ? `ended: nothing happened for ${options.silence} s`
        : options.signal.aborted
          ? "ended before it was done"
          : signal
            ? `its process was ended by ${signal}`
            : exitCode
              ? `its process ended with ${exitCode}`
              : explainFailure(cause)
      return { kind: "failed", name, where, reason }
    }
    if (isFile && (byFile.get(data.name) ?? []).length === 0) {
      return { kind: "failed", name, where, reason: "it holds no test" }
    }
    if (isFile) return undefined
    const left = skip ?? todo
    if (left === undefined || left === false) {
      return details.type === "suite" ? undefined : { kind: "passed", name, where, reason: "" }
    }
    return { kind: "skipped", name, where, reason: left === true ? "no reason given" : left }
  }
}

/** The error of a failed test; of a file: with how its process ended. */
type FailedTest = Error & { readonly failureType?: string; readonly exitCode?: number; readonly signal?: string }

/** The test file that runs: `file` is where a test is declared. Node's types don't know it. */
function entryOf(data: { readonly file?: string | undefined; readonly entryFile?: string }): string {
  return data.entryFile ?? data.file ?? ""
}

/** A failure shows what its file wrote: the reason often stands there. */
function withOutput(outcome: Outcome, output: string | undefined): Outcome {
  if (outcome.kind !== "failed" || output === undefined) return outcome
  const lines = output.trimEnd().split("\n").slice(-20)
  return { ...outcome, reason: `${outcome.reason}\nlast output of the file:\n  ${lines.join("\n  ")}` }
}

function explainFailure(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause)
  const frames = (cause.stack ?? cause.message).split("\n").filter((line) => !/^\s+at .*node:internal/.test(line))
  const inner = cause.cause === undefined ? "" : `\ncaused by ${explainFailure(cause.cause)}`
  return `${frames.join("\n")}${inner}`
}

function fileLine(file: string, outcomes: readonly Outcome[], milliseconds: number): string {
  const count = (kind: Outcome["kind"]) => outcomes.filter((outcome) => outcome.kind === kind).length
  const [failed, skipped] = [count("failed"), count("skipped")]
  const notes = [
    `${outcomes.length} ${outcomes.length === 1 ? "test" : "tests"}`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ]
  const line = statusLine(failed > 0 ? "FAILED" : "ok", `${file} (${notes.join(", ")})`, milliseconds)
  return [line, ...outcomes.filter(({ kind }) => kind === "failed").map(failureLine)].join("")
}

/** Failures are printed at once, a line each: a long run that is stopped, or seen in part, shows them too. */
function failureLine({ name, reason }: Outcome): string {
  return `          ${name}: ${reason.split("\n", 1)[0]}\n`
}

/** `  ok      types                 1.2 s` */
export function statusLine(state: string, what: string, milliseconds: number): string {
  return `  ${state.padEnd(7)} ${what.padEnd(78)} ${(milliseconds / 1000).toFixed(1).padStart(6)} s\n`
}
