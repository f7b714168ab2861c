import { glob } from "node:fs/promises"
import { statSync } from "node:fs"
import { basename, dirname, isAbsolute, join, resolve } from "node:path"
import { parseDocument } from "yaml"
import { z } from "zod"
import { parseYaml } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import { relativePaths } from "./base-paths.ts"
import type { OutputFile } from "./publish.ts"
import type { Inputs } from "./sites.ts"

/** What the portal's operator adds to the sites: global settings, rules, own jobs, remote write. */
export interface BaseConfig {
  /** YAML, kept as it is written but for paths that are relative. */
  readonly text: string
  /** Where those begin; absolute. */
  readonly folder: string
  /** Rule files as Prometheus will find them: copies beside its configuration, and absolute patterns as they are. */
  readonly ruleFiles: readonly string[]
  readonly files: readonly OutputFile[]
  /** Names of the labels that distinguish this portal from others. */
  readonly externalLabels: readonly string[]
  /** Job names with the places where they stand. */
  readonly jobs: ReadonlyMap<string, string>
  /** What may be an oversight. */
  readonly warnings: readonly Fault[]
}

export const NO_BASE_CONFIG: BaseConfig = {
  ...{ text: "", folder: "/", ruleFiles: [], files: [], externalLabels: [], jobs: new Map(), warnings: [] },
}

// only what is used here is validated; Prometheus validates the rest
const schema = z.looseObject(
  {
    global: z
      .looseObject({ external_labels: z.record(z.string(), z.unknown(), "must be labels").nullish() }, "must be a map")
      .nullish(),
    rule_files: z.array(z.string("must be a file or a pattern"), "must be a list of files").nullish(),
    scrape_configs: z
      .array(z.looseObject({ job_name: z.string("must be given, as text") }, "must be a job"), "must be a list of jobs")
      .nullish(),
  },
  "must be a Prometheus configuration: a map",
)

/** Reads the base configuration and the rule files that it names relative to itself. Throws ConfigurationError. */
export async function loadBaseConfig(file: string, inputs: Inputs): Promise<BaseConfig> {
  const text = inputs.read(file)
  const { value, where } = parseYaml(text, file, schema.nullable())
  const faults = new Faults()
  const ruleFiles: string[] = []
  const files = new Map<string, OutputFile>()
  const warnings: Fault[] = []
  const warnOfNone = (place: string, pattern: string): void =>
    void warnings.push({ where: place, message: `no file matches ${join(dirname(file), pattern)}` })
  for (const [index, pattern] of (value?.rule_files ?? []).entries()) {
    if (isAbsolute(pattern)) {
      ruleFiles.push(pattern)
      continue
    }
    const place = where(["rule_files", index])
    const found: string[] = []
    for await (const name of glob(pattern, { cwd: dirname(file) })) found.push(name)
    if (found.length === 0) {
      if (isPattern(pattern)) warnOfNone(place, pattern)
      else faults.add(place, `there is no file ${join(dirname(file), pattern)}`)
    }
    for (const name of found.toSorted()) {
      const path = `rules/${basename(name)}`
      if (files.has(path)) faults.add(place, `matches a second rule file called ${basename(name)}`)
      files.set(path, { path, content: inputs.read(join(dirname(file), name), place), mode: 0o640 })
      ruleFiles.push(path.replaceAll(/[*?[\\]/g, String.raw`\$&`)) // Prometheus reads it as a pattern
    }
  }
  for (const { path, text: relative, read, pattern } of relativePaths(parseDocument(text))) {
    if (!read) continue
    const named = join(dirname(file), relative)
    if (pattern) {
      if (!(await matchesAny(relative, dirname(file)))) warnOfNone(where(path), relative)
    } else if (isMissing(named)) {
      // only Prometheus must be able to read it; where it is missing it is read here so that its coming is noticed
      faults.collect(() => inputs.read(named, where(path)))
    }
  }
  const jobs = (value?.scrape_configs ?? []).map(
    ({ job_name }, index) => [job_name, where(["scrape_configs", index, "job_name"])] as const,
  )
  faults.orThrow()
  const externalLabels = Object.keys(value?.global?.external_labels ?? {})
  const folder = resolve(dirname(file))
  return { text, folder, ruleFiles, files: [...files.values()], externalLabels, jobs: new Map(jobs), warnings }
}

const isPattern = (path: string): boolean => /[*?[]/.test(path)

async function matchesAny(pattern: string, cwd: string): Promise<boolean> {
  for await (const _ of glob(pattern, { cwd })) return true
  return false
}

/** Not so where a folder on the way cannot be searched by this user. */
function isMissing(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined
  } catch {
    return false
  }
}
