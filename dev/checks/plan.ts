import { globSync } from "node:fs"
import { join } from "node:path"

/** Folders that hold no source of ours; those that begin with a dot are left out too, except .ci. */
const FOREIGN = new Set(["node_modules", ".git", ".cache", ".dev"])

/** Suites that build images or fill the machine; each runs when nothing else does. */
const ALONE = ["dev/docker/"]

type Section = "unit" | "e2e" | "alone"
/** Absolute paths of test files. */
export type Plan = Readonly<Record<Section, readonly string[]>>

/** Files of the project in `root` that match a glob, as paths from there, in order. */
export function sources(root: string, glob: string): readonly string[] {
  return globSync(glob, { cwd: root, exclude: (name) => FOREIGN.has(name) }).toSorted()
}

/** The test files of `root` whose path holds one of the patterns; all of them where there are none. */
export function planTests(root: string, patterns: readonly string[]): Plan {
  const files = sources(root, "**/*.test.ts").filter((file) => matches(file, patterns))
  const paths = (section: Section) =>
    files.filter((file) => sectionOf(file) === section).map((file) => join(root, file))
  return { unit: paths("unit"), e2e: paths("e2e"), alone: paths("alone") }
}

export function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => name.includes(pattern))
}

function sectionOf(file: string): Section {
  if (!file.endsWith(".e2e.test.ts")) return "unit"
  return ALONE.some((folder) => file.startsWith(folder)) ? "alone" : "e2e"
}
