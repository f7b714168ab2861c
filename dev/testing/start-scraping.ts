import { createServer } from "node:http"
import type { TestContext } from "node:test"
import { need } from "./component.ts"
import { temporaryFolder } from "./folder.ts"
import { listen } from "./listen.ts"
import { findPrometheus, type RunningPrometheus, startPrometheus, type Version } from "./prometheus.ts"

const METRICS = "text/plain; version=0.0.4; charset=utf-8"

/** A sample with a time of its own stays known where a later scrape fails, as on a machine with much other work. */
function withTimes(exposition: string): string {
  const now = Date.now()
  const lines = exposition.split("\n")
  return lines.map((line) => (line === "" || line.startsWith("#") ? line : `${line} ${now}`)).join("\n")
}

/**
 * A Prometheus that scrapes this exposition, whose samples have no times, every second; undefined where there is none and the
 * test is skipped. `more`: of its configuration.
 */
export async function startScraping(
  t: TestContext,
  version: Version,
  exposition: string,
  flags: readonly string[] = [],
  more: Readonly<Record<string, unknown>> = {},
): Promise<RunningPrometheus | undefined> {
  const folder = need(t, findPrometheus(version))
  if (folder === undefined) return undefined
  const target = createServer((_, response) => response.setHeader("content-type", METRICS).end(withTimes(exposition)))
  const port = await listen(t, target)
  const job = { job_name: "project_usages", scrape_interval: "1s", scrape_timeout: "1s" }
  const config = { scrape_configs: [{ ...job, static_configs: [{ targets: [`127.0.0.1:${port}`] }] }], ...more }
  const file = await temporaryFolder(t).write("prometheus.yml", JSON.stringify(config))
  const prometheus = await startPrometheus(folder, file, flags)
  t.after(() => prometheus.stop())
  return prometheus
}
