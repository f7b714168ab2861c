import assert from "node:assert/strict"
import { createServer } from "node:http"
import { test } from "node:test"
import { openFederation } from "#core/federation/federation.ts"
import { readText } from "#core/files/read-text.ts"
import { createLogger } from "#core/log/logger.ts"
import { listen } from "../../dev/testing/listen.ts"
import { createProxyMetrics } from "./metrics.ts"
import { environmentPolicy } from "./policy/environment.ts"
import { openPrometheus } from "./source.ts"
import { scrape, SHARED, startUpstream, TOKEN } from "./testing.ts"

test("keeps to a deadline that is longer than the server's limit for idle connections", async (t) => {
  const upstream = await startUpstream(t, () => undefined)
  const loader = environmentPolicy({
    allow: [SHARED],
    token: TOKEN,
    tokenFile: undefined,
    upstream: new URL(upstream.url),
    upstreamTimeout: 0.5,
    responseBytes: 1000,
  })
  const policy = await loader.load(readText)
  const log = createLogger({ level: "info", format: "json" }, "proxy", () => undefined)
  const metrics = createProxyMetrics()
  const options = {
    paths: { "/federate": "selectors" } as const,
    policy: () => policy,
    source: openPrometheus(metrics, log, () => 0),
    metrics,
    log,
    now: () => new Date(),
    milliseconds: () => 0,
  }
  const federation = openFederation(options)
  t.after(() => federation.close())
  const server = createServer((request, response) => void federation.handle(request, response)).setTimeout(100)
  const { status, body } = await scrape(`http://127.0.0.1:${await listen(t, server)}`)
  assert.deepEqual([status, body], [504, "The site's Prometheus sent no whole response within 0.5 s.\n"])
})
