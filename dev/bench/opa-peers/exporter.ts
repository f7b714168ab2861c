import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { request } from "undici"
import { start } from "../../testing/child.ts"
import { until } from "../../testing/until.ts"
import { CLUSTER_PATH, type Ground, NAMESPACED_PATHS, SERVER_NAME } from "./fleet.ts"

export interface Exporter {
  readonly pid: number
  /** One collection: the exposition, and the seconds until it was there. */
  readonly collect: () => Promise<{ text: string; seconds: number }>
}

/** The exporter as it is run, which collects at every scrape. */
export async function startExporter(
  ground: Ground,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Exporter> {
  const child = start(
    join(import.meta.dirname, "../../../bin/fedstack"),
    [
      ...["exporter", "opa-data", "--collect=scrape", "--web.listen-address=127.0.0.1:0", "--cluster-name=bench"],
      ...[`--opa-cluster-data=${CLUSTER_PATH}`, `--opa-namespaced-data=${NAMESPACED_PATHS.join(",")}`],
      ...["--opa-service=opa", `--opa-ca-file=${ground.caFile}`, `--opa-server-name=${SERVER_NAME}`, ...args],
    ],
    env,
  )
  ground.closers.unshift(() => child.stop())
  const address = await until("the exporter to listen", () => {
    if (child.process.exitCode !== null) throw new Error(child.output())
    return /msg=listening addresses=\S*?(127\.0\.0\.1:\d+)/.exec(child.output())?.[1]
  })
  return {
    pid: child.process.pid ?? 0,
    async collect() {
      const begin = performance.now()
      const response = await request(`http://${address}/metrics`)
      const text = await response.body.text()
      return { text, seconds: (performance.now() - begin) / 1000 }
    },
  }
}

/** The counts of an exposition, in the form of the original peer. */
export function countsIn(text: string): string[] {
  return [...text.matchAll(/^(opa_(?:cluster|namespaced)_data_item\w+)\{([^}]*)\} (\d+)$/gm)]
    .map(([, name = "", labels = "", value = ""]) => {
      const of = (label: string): string => new RegExp(`${label}="([^"]*)"`).exec(labels)?.[1] ?? ""
      return `${name} ${of("data_path")} ${of("pod_name")} ${value}`
    })
    .toSorted()
}

/** Seconds of processor time that all threads of a process have had. */
export function processorOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const times = threads.map((id) => Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "utf8").split(" ")[0]))
  return times.reduce((sum, time) => sum + time, 0) / 1e9
}

/** MB of memory: now, and at most so far. */
export function memoryOf(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8")
  const of = (key: string): number => Number(new RegExp(`${key}:\\s+(\\d+)`).exec(status)?.[1]) / 1024
  return { now: of("VmRSS"), peak: of("VmHWM") }
}
