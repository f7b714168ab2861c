import { execFile } from "node:child_process"
import { constants } from "node:fs"
import { access } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"
import { defineError, explain } from "#core/errors.ts"
import { fetchPackage, type Provision } from "./package.ts"

export const noPrometheus = defineError(
  "NO_PROMETHEUS",
  500,
  "No Prometheus found: {reason}. Install it (https://prometheus.io/download/, or your system's package), and put it in PATH or name its folder in FEDSTACK_PROMETHEUS_DIR.",
)

const run = promisify(execFile)

export interface Prometheus {
  readonly binary: string
  /** Such as 2.42.0. */
  readonly version: string
  /** For a Prometheus that does not find its own files. */
  readonly flags: readonly string[]
}

/**
 * The Prometheus to use: from FEDSTACK_PROMETHEUS_DIR, from PATH, or from the distribution's package, which is unpacked
 * into the cache where it is not yet. Throws NO_PROMETHEUS.
 */
export async function providePrometheus(provision: Provision): Promise<Prometheus> {
  const { env, cache, signal } = provision
  const unpacked = join(cache, "prometheus", "usr", "bin")
  const named = env.FEDSTACK_PROMETHEUS_DIR
  const folders = named ? [named] : [...(env.PATH ?? "").split(delimiter).filter((folder) => folder !== ""), unpacked]
  for (const folder of folders) {
    if (await isExecutable(join(folder, "prometheus"))) return describe(folder)
  }
  if (named) throw noPrometheus({ reason: `FEDSTACK_PROMETHEUS_DIR is ${named}, which holds no such program` })
  try {
    // promtool, which the checks need, is a package of its own from Debian 13 on
    await fetchPackage("prometheus", ["promtool"], provision)
  } catch (error) {
    signal.throwIfAborted()
    throw noPrometheus({ reason: `PATH has none, and ${explain(error)}` }, { cause: error })
  }
  return describe(unpacked)
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

async function describe(folder: string): Promise<Prometheus> {
  const binary = join(folder, "prometheus")
  const { stdout, stderr } = await run(binary, ["--version"]).catch((error: unknown) => {
    throw noPrometheus({ reason: `${binary} does not run (${explain(error).trim()})` })
  })
  const version = /version (\d+\.\d+\.\d+)/.exec(stdout + stderr)?.[1]
  if (version === undefined) throw noPrometheus({ reason: `${binary} --version names no version` })
  return { binary, version, flags: await webFlags(folder, binary) }
}

/** Debian's Prometheus reads its web pages from files, which are elsewhere when its package is only unpacked. */
async function webFlags(folder: string, binary: string): Promise<readonly string[]> {
  const pages = join(folder, "..", "share", "prometheus", "web")
  const found = await access(pages).then(
    () => true,
    () => false,
  )
  if (!found) return []
  const { stdout, stderr } = await run(binary, ["--help"])
  return (stdout + stderr).includes("--web.local-assets") ? [`--web.local-assets=${pages}`] : []
}
