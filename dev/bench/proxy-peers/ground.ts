import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startPrometheus } from "../../testing/prometheus.ts"
import { until } from "../../testing/until.ts"

/** A Prometheus with so many series, and what ends it and all that is started before it. */
export interface Ground {
  readonly folder: string
  /** Of Prometheus. */
  readonly url: string
  readonly pid: number
  readonly token: string
  readonly closers: (() => unknown)[]
}

export async function prepare(binaries: string, series: number, closers: (() => unknown)[]): Promise<Ground> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
  closers.unshift(() => rm(folder, { recursive: true, force: true }))
  const config = join(folder, "prometheus.yml")
  await writeFile(config, configuration(await serveSeries(series, closers)))
  const prometheus = await startPrometheus(binaries, config)
  closers.unshift(() => prometheus.stop())
  await until(`${series} series`, async () =>
    (await prometheus.query('count({__name__=~"project_.*_usage"})'))[0]?.value[1] === String(series)
      ? true
      : undefined,
  )
  const token = randomBytes(16).toString("hex")
  return { folder, url: prometheus.url, pid: prometheus.child.process.pid ?? 0, token, closers }
}

async function serveSeries(series: number, closers: (() => unknown)[]): Promise<number> {
  const line = (name: string, index: number, value: number): string =>
    `${name}{project_id="${(index * 7919).toString(16).padStart(32, "0")}",project_name="project ${index}",domain_name="default"} ${value}`
  const of = (name: string, factor: number) =>
    Array.from({ length: series / 2 }, (_, index) => line(name, index, index * factor))
  const body = [...of("project_vcpu_usage", 1.5), ...of("project_mb_usage", 1024), ""].join("\n")
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/plain; version=0.0.4; charset=utf-8").end(body)
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  closers.unshift(() => (server.closeAllConnections(), server.close()))
  return (server.address() as AddressInfo).port
}

/** A scrape now and then keeps the series alive and hardly disturbs the measurement. */
function configuration(port: number): string {
  return `global: {scrape_interval: 15s, scrape_timeout: 15s}
scrape_configs:
  - job_name: project_usages
    static_configs: [{targets: ["127.0.0.1:${port}"]}]
`
}
