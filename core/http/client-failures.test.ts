import assert from "node:assert/strict"
import { test } from "node:test"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { watchClientFailures } from "./client-failures.ts"

function start() {
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line))
  const registry = new Registry()
  const clock = { now: 0 }
  const failures = watchClientFailures({ log, registry, listener: ":8000" }, () => clock.now)
  return {
    failures,
    clock,
    lines: () => lines.map((line) => line.replace(/^ts=\S+ /, "").trimEnd()),
    counts: async () => ((await registry.metrics()).match(/^\w+\{.*\} [1-9]\d*$/gm) ?? []).map((line) => line),
    registry,
  }
}

test("logs a failure of a client once, and again after ten minutes, and counts each", async () => {
  const { failures, clock, lines, counts } = start()
  const line =
    'level=warn component=test msg="TLS handshake failed" client=192.0.2.1 reason="plain HTTP on a port that speaks TLS; the client\'s URL must begin with https://" failure=plain_http listener=:8000'
  failures.note("plain_http", "192.0.2.1")
  failures.note("plain_http", "192.0.2.1")
  assert.deepEqual(lines(), [line])
  clock.now += 600_000
  failures.note("plain_http", "192.0.2.1")
  assert.deepEqual(lines(), [line, line])
  failures.close()
  assert.deepEqual(lines().slice(2), [
    'level=warn component=test msg="more clients refused and TLS handshakes failed, not logged one by one" listener=:8000 failures=1',
  ])
  assert.deepEqual(await counts(), ['fedstack_web_client_failures_total{listener=":8000",reason="plain_http"} 3'])
})

test("a flood from any number of addresses is some lines and a sum", async () => {
  const { failures, lines, counts } = start()
  for (let index = 0; index < 10_000; index++) failures.note("malformed", `10.0.${index >> 8}.${index & 255}`)
  failures.close()
  assert.equal(lines().length, 21)
  assert.match(lines().at(-1) ?? "", /failures=9980$/)
  assert.deepEqual(await counts(), ['fedstack_web_client_failures_total{listener=":8000",reason="malformed"} 10000'])
})

test("a connection that is closed in the handshake is counted and not logged: load balancers look for the port so", async () => {
  const { failures, lines, counts } = start()
  failures.note("handshake_closed", "192.0.2.1")
  failures.close()
  assert.deepEqual(lines(), [])
  assert.deepEqual(await counts(), ['fedstack_web_client_failures_total{listener=":8000",reason="handshake_closed"} 1'])
})

test("all reasons are there from the beginning, for each listener", async () => {
  const { registry, failures } = start()
  const { log } = { log: createLogger({ level: "info", format: "logfmt" }, "test", () => undefined) }
  watchClientFailures({ log, registry, listener: ":8001" })
  failures.close()
  const series = (await registry.metrics()).match(/^\w+\{.*\} 0$/gm) ?? []
  assert.equal(series.length, 26)
  assert.equal(new Set(series).size, 26)
})
