import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { ExitError } from "#core/errors.ts"
import { type CheckOptions, checkRules } from "./check-rules.ts"

interface Outcome {
  readonly status: number
  /** Both streams, without the folder of the files. */
  readonly output: string
}

export const OPTIONS: CheckOptions = {
  target: "prometheus-3.5",
  enableFeature: [],
  lint: false,
  base: [],
  lintFatal: false,
}

/** `fedstack check rules` of files with these texts. */
export async function runCheck(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<CheckOptions> = {},
): Promise<Outcome> {
  const folder = temporaryFolder(t)
  const paths = await Promise.all(Object.entries(files).map(([name, text]) => folder.write(name, text)))
  return runCheckOf(paths, options, folder.path)
}

export async function runCheckOf(
  paths: readonly string[],
  options: Partial<CheckOptions> = {},
  folder = "",
): Promise<Outcome> {
  let output = ""
  const print = (text: string): void => void (output += text)
  const shown = (): string => (folder === "" ? output : output.replaceAll(`${folder}/`, ""))
  try {
    await checkRules(paths, { ...OPTIONS, ...options }, { print, now: () => new Date("2026-01-31T12:00:00Z") })
    return { status: 0, output: shown() }
  } catch (error) {
    if (!(error instanceof ExitError)) throw error
    print(`fedstack: ${error.message}\n`)
    return { status: error.exitCode, output: shown() }
  }
}

/** A rule file, and what promtool 3.5 and newer parsers say of it. */
export interface CorpusFile {
  readonly class: "plain" | "newer" | "experimental" | "experimental-newer" | "lint"
  readonly valid: boolean
  readonly why: string
  /** Exit codes: without flags, with `promql-experimental-functions`, and with `--lint-fatal`. */
  readonly promtool35: Readonly<Record<"plain" | "experimental" | "lintFatal", number>>
  readonly text: string
}

export const CORPUS: Readonly<Record<string, CorpusFile>> = JSON.parse(
  readFileSync(join(import.meta.dirname, "testdata/corpus.json"), "utf8"),
) as Readonly<Record<string, CorpusFile>>
