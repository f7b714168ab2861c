import { globSync } from "node:fs"
import { join } from "node:path"
import { BUSY, SECONDS } from "./durations.ts"

/** Folders that hold no source of ours; those that begin with a dot are left out too, except .ci. */
const FOREIGN = new Set(["node_modules", ".git", ".cache", ".dev"])

/** How many test files run side by side: with real components, those that mostly wait. */
export const ROOM = 3
/** Busy ones take so much of it that no second one runs, and one that waits does. */
const BUSY_SIZE = 2

export interface Suite {
  /** An absolute path. */
  readonly file: string
  /** What it takes of the room. */
  readonly size: number
}

/** The longest first: what begins last ends soon. */
export interface Plan {
  /** Absolute paths. */
  readonly unit: readonly string[]
  /** With real components: the busy ones before those that mostly wait, so that there are some of these beside each. */
  readonly real: readonly Suite[]
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
  const real = files
    .filter(isReal)
    .map((file) => ({ file, size: isBusy(file) ? BUSY_SIZE : 1 }))
    .toSorted((one, other) => other.size - one.size)
  return {
    unit: files.filter((file) => !isReal(file)).map((file) => join(root, file)),
    real: real.map(({ file, size }) => ({ file: join(root, file), size })),
  }
}

export function matches(name: string, patterns: readonly string[]): boolean {
  return patterns.length === 0 || patterns.some((pattern) => name.includes(pattern))
}

const isReal = (file: string): boolean => file.endsWith(".e2e.test.ts")
const isBusy = (file: string): boolean => BUSY.some((start) => file.startsWith(start))
