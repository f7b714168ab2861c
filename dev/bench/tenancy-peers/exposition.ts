import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { start } from "../../testing/child.ts"
import { type RunningCortex, startCortex } from "../../testing/cortex.ts"
import { bodyOf, HEADERS, write, type WrittenSample } from "../../testing/remote-write/write.ts"
import { until } from "../../testing/until.ts"
import type { Ground } from "../proxy-peers/ground.ts"
import type { Way } from "../proxy-peers/ways.ts"

const ROOT = join(import.meta.dirname, "../../..")
/** Series of a request. */
const BATCH = 5000
/** Milliseconds between two samples of a series, as Prometheus would send them. */
const INTERVAL = 15_000

export type Labels = Readonly<Record<string, string>>

/** What Prometheus has of its own, to the letter. */
export function projectSeries(count: number): readonly Labels[] {
  return ["project_vcpu_usage", "project_mb_usage"].flatMap((name) =>
    Array.from({ length: count / 2 }, (_, index) => ({
      __name__: name,
      job: "project_usages",
      instance: "127.0.0.1:12345",
      project_id: (index * 7919).toString(16).padStart(32, "0"),
      project_name: `project ${index}`,
      domain_name: "default",
    })),
  )
}

/** As of a cluster: families of 500 series each. */
export function clusterSeries(count: number): readonly Labels[] {
  return Array.from({ length: count }, (_, index) => ({
    __name__: `kube_pod_metric_${index % (count / 500)}_seconds_total`,
    job: "kube-state-metrics",
    instance: "10.0.0.17:8080",
    namespace: `team-${index % 40}`,
    pod: `workload-${(index * 7919).toString(16).padStart(10, "0")}-abcde`,
    container: "main",
    node: `worker-${index % 300}.cluster.example.org`,
  }))
}

/** A Cortex without limits, and without a sample. */
export async function startStore(program: string, closers: (() => unknown)[]): Promise<RunningCortex> {
  const most = {
    ingestion_rate: 1e9,
    ingestion_burst_size: 1_000_000_000,
    max_series_per_user: 0,
    max_series_per_metric: 0,
  }
  const after = (close: () => Promise<void>): void => void closers.unshift(close)
  return startCortex({ after }, program, { limits: { small: most, large: most } })
}

/** Writes a sample of each series now. */
export async function writeAll({ url }: RunningCortex, tenant: string, series: readonly Labels[]): Promise<void> {
  const timestamp = Date.now()
  for (let at = 0; at < series.length; at += BATCH) {
    const samples = series
      .slice(at, at + BATCH)
      .map((labels, index): WrittenSample => ({ labels, value: at + index, timestamp }))
    const { status, text } = await write(`${url}/api/v1/push`, bodyOf(samples), {
      ...HEADERS[1],
      "x-scope-orgid": tenant,
    })
    if (status !== 200) throw new Error(`Cortex responded ${status} to a write of ${tenant}: ${text}`)
  }
}

/** Again and again, so that no series is over; the result ends that. */
export function keepWriting(cortex: RunningCortex, tenant: string, series: readonly Labels[]): () => Promise<void> {
  let writing = Promise.resolve()
  let failure: unknown
  const timer = setInterval(() => {
    writing = writing.then(() => writeAll(cortex, tenant, series)).catch((error: unknown) => void (failure ??= error))
  }, INTERVAL)
  return async () => {
    clearInterval(timer)
    await writing
    if (failure !== undefined) throw failure as Error
  }
}

/** Serves both tenants, each by a token of its own: that of the ground, and that with `-large` after it. */
export async function startExposition(ground: Ground, cortex: RunningCortex, reuse: string): Promise<Way> {
  const file = join(ground.folder, `tenants-${reuse}.yaml`)
  await writeFile(
    file,
    `upstreams: ["${cortex.url}/prometheus"]
reuse: ${reuse}
timestamps: true
limits: {requests_per_second: 100000, concurrent: 1000}
tokens:
  - {name: small, env: BENCH_TOKEN, tenants: [small], match: ['{job="project_usages",__name__=~"project_.*_usage"}']}
  - {name: large, env: BENCH_LARGE, tenants: [large], match: ['{__name__=~".+"}'], share_everything: true}
`,
  )
  const local = "127.0.0.1:0"
  const args = ["tenancy-exposition", "--tenants", file, "--web.listen-address", local, "--admin.listen-address", local]
  const child = start(join(ROOT, "bin/fedstack"), args, {
    BENCH_TOKEN: ground.token,
    BENCH_LARGE: `${ground.token}-large`,
  })
  ground.closers.unshift(() => child.stop())
  const port = await until(
    "the exposition to listen",
    () => [...child.output().matchAll(/127\.0\.0\.1:(\d+)/g)][1]?.[1],
  )
  return { name: `exposition, reuse ${reuse}`, url: `http://127.0.0.1:${port}`, pid: child.process.pid ?? 0 }
}
