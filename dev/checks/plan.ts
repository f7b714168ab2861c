import { globSync } from "node:fs"
import { join } from "node:path"
import { BUSY, SECONDS } from "./durations.ts"

/** Folders that hold no source of ours; those that begin with a dot are left out too, except .ci. */
const FOREIGN = new Set(["node_modules", ".git", ".cache", ".dev"])

/** How many test files run side by side: of those with real components, one may be busy, and the others mostly wait. */
export const AT_ONCE = 4

/** Absolute paths, the longest first: what begins last ends soon. */
export interface Plan {
  readonly unit: readonly string[]
  /** With real components. They run one after the other, beside those that mostly wait. */
  readonly busy: readonly string[]
  /** With real components. */
  readonly waiting: readonly string[]
}

/** Files of the project in `root` that match a glob, as paths from there, in order. */
export function sources(root: string, glob: string): readonly string[] {
  return globSync(glob, { cwd: root, exclude: (name) => FOREIGN.has(name) }).toSorted()
}

/** The test files of `root` whose path holds one of the patterns; all of them where there are none. */
export function planTests(root: string, patterns: readonly string[]): Plan {
  const files = sources(root, "**/*.test.ts")
    .filter((file) => matches(file, patterns))
    .toSorted((one, other) => (SECONDS[other] ?? 0) - (SECONDS[one] ?? 0))
  const paths = (holds: (file: string) => boolean) => files.filter(holds).map((file) => join(root, file))
  return {
    unit: paths((file) => !isReal(file)),
    busy: paths((file) => isReal(file) && isBusy(file)),
    waiting: paths((file) => isReal(file) && !isBusy(file)),
  }
}

export function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => name.includes(pattern))
}

const isReal = (file: string): boolean => file.endsWith(".e2e.test.ts")
const isBusy = (file: string): boolean => BUSY.some((start) => file.startsWith(start))
