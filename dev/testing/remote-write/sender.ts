import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:http"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { stringify } from "yaml"
import { listen } from "../listen.ts"
import { startPrometheus, type RunningPrometheus } from "../prometheus.ts"
import { until } from "../until.ts"
import { CONTENT_TYPE, exposition } from "./exposition.ts"

export interface SenderOptions {
  /** Where it writes to. */
  readonly url: string
  /** Of remote write; Prometheus from 2.54 on knows 2. */
  readonly version: 1 | 2
  /** Whose series it scrapes: the empty one's have no label. */
  readonly tenants: readonly string[]
  /** Gauges of each tenant. */
  readonly series?: number
  readonly externalLabels?: Readonly<Record<string, string>>
  /** Of its entry in `remote_write`. */
  readonly remoteWrite?: Readonly<Record<string, unknown>>
  /** In a request. */
  readonly mostSamples?: number
  /** Whether histograms with buckets become native ones with custom buckets, from Prometheus 3 on. */
  readonly customBuckets?: boolean
}

export interface Sender {
  readonly prometheus: RunningPrometheus
  /** Scrapes that succeeded: those of a busy machine may end at their timeout. */
  scrapes(): Promise<number>
  /** Stops scraping, and waits until all that it has is sent. */
  finish(): Promise<void>
  /** A metric of its own, summed. */
  metric(name: string): Promise<number>
}

/** A real Prometheus that scrapes an exporter of `tenants` five times a second, and writes what it gets. */
export async function startSender(t: TestContext, folder: string, options: SenderOptions): Promise<Sender> {
  const {
    url,
    version,
    tenants,
    series = 3,
    externalLabels = {},
    remoteWrite = {},
    mostSamples = 500,
    customBuckets = false,
  } = options
  let round = 0
  const exporter = createServer((_, response) => {
    round += 1
    response.writeHead(200, { "content-type": CONTENT_TYPE }).end(exposition(tenants, round, series))
  })
  const port = await listen(t, exporter)
  const state = await mkdtemp(join(tmpdir(), "fedstack-sender-"))
  const file = join(state, "prometheus.yml")
  const write = (scrapes: readonly object[]): Promise<void> =>
    writeFile(
      file,
      stringify({
        global: { scrape_interval: "200ms", scrape_timeout: "200ms", external_labels: externalLabels },
        scrape_configs: scrapes,
        remote_write: [
          {
            url,
            send_exemplars: true,
            send_native_histograms: true,
            metadata_config: { send_interval: "1s" },
            ...(version === 2 ? { protobuf_message: "io.prometheus.write.v2.Request" } : {}),
            queue_config: {
              batch_send_deadline: "200ms",
              min_backoff: "30ms",
              max_backoff: "300ms",
              max_samples_per_send: mostSamples,
              min_shards: 2,
              retry_on_http_429: true,
            },
            ...remoteWrite,
          },
        ],
      }),
    )
  await write([
    {
      job_name: "test",
      // the same labels in each run
      static_configs: [{ targets: [`127.0.0.1:${port}`], labels: { instance: "test" } }],
      ...(customBuckets ? { convert_classic_histograms_to_nhcb: true } : {}),
    },
  ])
  const features = ["exemplar-storage", "native-histograms", ...(version === 2 ? ["metadata-wal-records"] : [])]
  const prometheus = await startPrometheus(folder, file, [
    `--enable-feature=${features.join(",")}`,
    // of targets, in place of 5 s
    "--scrape.discovery-reload-interval=100ms",
  ])
  t.after(async () => {
    await prometheus.stop()
    await rm(state, { recursive: true, force: true })
  })
  const metric = async (name: string): Promise<number> => {
    const text = await (await fetch(`${prometheus.url}/metrics`)).text()
    const values = text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, "gm"))
    return [...values].reduce((sum, [, value]) => sum + Number(value), 0)
  }
  return {
    prometheus,
    async scrapes() {
      const query = new URLSearchParams({ query: 'sum(sum_over_time(up{job="test"}[1h]))' })
      const response = await fetch(`${prometheus.url}/api/v1/query?${String(query)}`)
      const { data } = (await response.json()) as { data: { result: readonly { value: readonly [number, string] }[] } }
      return Number(data.result[0]?.value[1] ?? 0)
    },
    metric,
    async finish() {
      await write([])
      const reload = await fetch(`${prometheus.url}/-/reload`, { method: "POST" })
      if (!reload.ok) throw new Error(`reload: ${await reload.text()}`)
      await until("Prometheus to send all that it has", async () => {
        const [pending, highest, sent] = [
          await metric("prometheus_remote_storage_(?:samples|exemplars|histograms)_pending"),
          await metric("prometheus_remote_storage_highest_timestamp_in_seconds"),
          await metric("prometheus_remote_storage_queue_highest_sent_timestamp_seconds"),
        ]
        return pending === 0 && sent >= highest
      })
    },
  }
}
