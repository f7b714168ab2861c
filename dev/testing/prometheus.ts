import { accessSync, constants } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { type Child, start } from "./child.ts"
import type { Found } from "./component.ts"
import { until } from "./until.ts"

/** Those that are tested with. */
export const VERSIONS = ["2.42", "2.53", "3.5"] as const
export type Version = (typeof VERSIONS)[number]

/**
 * The folder that holds prometheus and promtool: FEDSTACK_PROMETHEUS_2_42, _2_53 or _3_5 for one version,
 * FEDSTACK_PROMETHEUS_DIR or PATH for any.
 */
export function findPrometheus(version?: Version): Found<string> {
  const variable =
    version === undefined ? "FEDSTACK_PROMETHEUS_DIR" : `FEDSTACK_PROMETHEUS_${version.replace(".", "_")}`
  const folders = [process.env[variable], ...(version === undefined ? (process.env.PATH ?? "").split(delimiter) : [])]
  const folder = folders.find((candidate) => candidate !== undefined && holdsPrometheus(candidate))
  return folder === undefined
    ? { missing: `no folder with prometheus and promtool: set ${variable}${version === undefined ? " or PATH" : ""}` }
    : { value: folder }
}

function holdsPrometheus(folder: string): boolean {
  try {
    for (const name of ["prometheus", "promtool"]) accessSync(join(folder, name), constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface RunningPrometheus {
  readonly url: string
  readonly child: Child
  /** `time`: in seconds of Unix time; now without it. */
  query(
    expression: string,
    time?: string,
  ): Promise<readonly { metric: Record<string, string>; value: [number, string] }[]>
  stop(): Promise<void>
}

/**
 * Starts a real Prometheus on a free port of loopback with an existing configuration file. Its data is dropped at the end, unless
 * its folder is given. Its URL has the path of `--web.external-url`, where that is among the flags.
 */
export async function startPrometheus(
  folder: string,
  configFile: string,
  flags: readonly string[] = [],
  kept?: string,
): Promise<RunningPrometheus> {
  const data = kept ?? (await mkdtemp(join(tmpdir(), "fedstack-prometheus-")))
  const mode = flags.some((flag) => /^--(?:agent|enable-feature=agent)$/.test(flag)) ? "agent" : "tsdb"
  const child = start(join(folder, "prometheus"), [
    `--config.file=${configFile}`,
    `--storage.${mode}.path=${data}`,
    "--web.listen-address=127.0.0.1:0",
    "--web.enable-lifecycle",
    ...flags,
  ])
  const port = await until("Prometheus to listen", () => {
    if (child.process.exitCode !== null) throw new Error(`Prometheus ended: ${child.output()}`)
    return /Listening on.*address=127\.0\.0\.1:(\d+)/.exec(child.output())?.[1]
  })
  const external = flags.find((flag) => flag.startsWith("--web.external-url="))?.replace(/^[^=]*=/, "")
  const path = external === undefined ? "" : new URL(external).pathname.replace(/\/$/, "")
  const url = `http://127.0.0.1:${port}${path}`
  await until("Prometheus to be ready", async () => ((await fetch(`${url}/-/ready`)).ok ? true : undefined))
  return {
    url,
    child,
    async query(expression, time) {
      const parameters = new URLSearchParams({ query: expression, ...(time === undefined ? {} : { time }) })
      const response = await fetch(`${url}/api/v1/query?${parameters.toString()}`)
      const body = (await response.json()) as {
        data: { result: { metric: Record<string, string>; value: [number, string] }[] }
      }
      return body.data.result
    },
    async stop() {
      await child.stop()
      if (kept === undefined) await rm(data, { recursive: true, force: true })
    },
  }
}
