import { createServer } from "node:http"
import type { TestContext } from "node:test"
import type { SecureContextOptions } from "node:tls"
import { type Dispatcher, Pool } from "undici"
import { need } from "../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import {
  findPrometheus,
  type RunningPrometheus,
  startPrometheus,
  type Version,
} from "../../../dev/testing/prometheus.ts"
import { METRICS } from "../testing.ts"
import { listen } from "../../../dev/testing/listen.ts"

/** FEDSTACK_TEST_SEED, or another one each time; told in the output of the test. */
export function seedOf(t: TestContext): number {
  const seed = Number(process.env.FEDSTACK_TEST_SEED ?? Date.now() % 2 ** 32)
  t.diagnostic(`seed ${seed}: FEDSTACK_TEST_SEED=${seed} repeats it`)
  return seed
}

/** A Prometheus that scrapes this exposition every second; undefined where there is none and the test is skipped. */
export async function startScraping(
  t: TestContext,
  version: Version,
  exposition: string,
  flags: readonly string[] = [],
): Promise<RunningPrometheus | undefined> {
  const folder = need(t, findPrometheus(version))
  if (folder === undefined) return undefined
  const target = createServer((_, response) => response.setHeader("content-type", METRICS).end(exposition))
  const port = await listen(t, target)
  const job = { job_name: "project_usages", scrape_interval: "1s", scrape_timeout: "1s" }
  const config = { scrape_configs: [{ ...job, static_configs: [{ targets: [`127.0.0.1:${port}`] }] }] }
  const file = await temporaryFolder(t).write("prometheus.yml", JSON.stringify(config))
  const prometheus = await startPrometheus(folder, file, flags)
  t.after(() => prometheus.stop())
  return prometheus
}

/** Milliseconds; longer than any answer may take. */
const LONGEST_WAIT = 60_000

export interface Answer {
  readonly status: number
  readonly headers: Dispatcher.ResponseData["headers"]
  readonly body: Buffer
}

/** Asks with exactly these bytes for a path: no URL is parsed and printed again on the way. */
export type Ask = (path: string, headers?: Record<string, string>) => Promise<Answer>

export function connectTo(
  t: TestContext,
  url: string,
  always: Record<string, string> = {},
  tls: SecureContextOptions = {},
): Ask {
  const pool = new Pool(url, { connections: 4, connect: tls, headersTimeout: LONGEST_WAIT })
  t.after(() => pool.destroy())
  return async (path, headers = {}) => {
    const asked = pool.request({ method: "GET", path, headers: { ...always, ...headers } })
    const answer = await asked.catch((cause: unknown) => {
      throw new Error(`no answer to ${path}`, { cause })
    })
    return {
      status: answer.statusCode,
      headers: answer.headers,
      body: Buffer.from(await answer.body.arrayBuffer()),
    }
  }
}
