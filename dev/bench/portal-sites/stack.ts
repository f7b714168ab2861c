import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Closable } from "#core/closable.ts"
import { HEADER } from "../../../portal/federation/publish.ts"
import { type Child, start } from "../../testing/child.ts"
import { type RunningPrometheus, startPrometheus } from "../../testing/prometheus.ts"
import { until } from "../../testing/until.ts"

const FEDSTACK = fileURLToPath(new URL("../../../bin/fedstack", import.meta.url))

export interface Stack extends Closable {
  readonly url: string
  readonly portal: Child
  readonly prometheus: RunningPrometheus
  /** Writes sites.yaml. Returns the seconds until Prometheus has accepted what follows from it. */
  configure(sites: string, token?: string): Promise<number>
}

/** A portal without sites, and its Prometheus. */
export async function startStack(program: string): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-portal-"))
  const [out, sitesFile, tokenFile] = [join(folder, "out"), join(folder, "sites.yaml"), join(folder, "token")]
  await mkdir(out)
  await writeFile(join(out, "prometheus.yml"), `${HEADER}scrape_configs: []\n`)
  await writeFile(sitesFile, "sites: []\n")
  await writeFile(tokenFile, "bench-token-0\n")
  const prometheus = await startPrometheus(program, join(out, "prometheus.yml"))
  const portal = start(FEDSTACK, [
    ...["portal", `--sites.file=${sitesFile}`, `--prometheus.config-dir=${out}`],
    ...[`--prometheus.url=${prometheus.url}`, "--web.listen-address=127.0.0.1:0"],
  ])
  const reloads = (): number => portal.output().split("Prometheus reloaded").length - 1
  const port = await until("the portal to listen", () => /addresses=127\.0\.0\.1:(\d+)/.exec(portal.output())?.[1])
  await until("the portal to have reloaded", () => (reloads() > 0 ? true : undefined))
  return {
    url: `http://127.0.0.1:${port}`,
    portal,
    prometheus,
    async configure(sites, token) {
      const before = reloads()
      const begin = performance.now()
      if (token === undefined) await writeFile(sitesFile, sites)
      else await writeFile(tokenFile, `${token}\n`)
      await until("Prometheus to be reloaded", () => (reloads() > before ? true : undefined), 120)
      return (performance.now() - begin) / 1000
    },
    async close() {
      await portal.stop()
      await prometheus.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
