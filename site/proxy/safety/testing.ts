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

/** FEDSTACK_TEST_SEED, or another one each time; printed by the test. */
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

/** Milliseconds; longer than any response may take. */
const LONGEST_WAIT = 60_000

export interface ReceivedResponse {
  readonly status: number
  readonly headers: Dispatcher.ResponseData["headers"]
  readonly body: Buffer
}

/** Sends exactly these bytes as the path: no URL is parsed and printed again. */
export type SendRequest = (path: string, headers?: Record<string, string>) => Promise<ReceivedResponse>

export function connectTo(
  t: TestContext,
  url: string,
  always: Record<string, string> = {},
  tls: SecureContextOptions = {},
): SendRequest {
  const pool = new Pool(url, { connections: 4, connect: tls, headersTimeout: LONGEST_WAIT })
  t.after(() => pool.destroy())
  return async (path, headers = {}) => {
    const sent = pool.request({ method: "GET", path, headers: { ...always, ...headers } })
    const response = await sent.catch((cause: unknown) => {
      throw new Error(`no response to ${path}`, { cause })
    })
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.from(await response.body.arrayBuffer()),
    }
  }
}
