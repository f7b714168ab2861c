import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus } from "../../../dev/testing/prometheus.ts"
import { until } from "../../../dev/testing/until.ts"
import { BEARER, startTestProxy } from "../testing.ts"
import { type ReceivedResponse, connectTo } from "../../../dev/testing/send-request.ts"

const PROTOBUF =
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.9,text/plain;version=0.0.4;q=0.5"
const NAME = "prometheus_http_request_duration_seconds"
const PATH = `/federate?match[]=${encodeURIComponent(`{__name__="${NAME}",job="self"}`)}`

for (const version of ["2.53", "3.5"] as const) {
  test(`hands on native histograms of Prometheus ${version} in protobuf, byte for byte`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const files = temporaryFolder(t)
    const prometheus = await startPrometheus(folder, await files.write("prometheus.yml", "{}"), [
      "--enable-feature=native-histograms",
    ])
    t.after(() => prometheus.stop())
    // what it exposes of its own requests holds native histograms
    const target = new URL(prometheus.url).host
    const job = {
      job_name: "self",
      scrape_interval: "1s",
      scrape_timeout: "1s",
      static_configs: [{ targets: [target] }],
    }
    await files.write("prometheus.yml", JSON.stringify({ scrape_configs: [job] }))
    assert.ok((await fetch(`${prometheus.url}/-/reload`, { method: "POST" })).ok)
    const proxy = await startTestProxy(t, prometheus.url, { allow: [`{__name__=~"prometheus_.*",job="self"}`] })
    const [direct, through] = [connectTo(t, prometheus.url), connectTo(t, proxy.url, BEARER)]
    const headers = { accept: PROTOBUF }
    await until("native histograms", async () => (isNative((await direct(PATH, headers)).body) ? true : undefined))
    // between two equal responses there was no new sample
    const [expected, given] = await until("the same samples in both responses", async () => {
      const before = await direct(PATH, headers)
      const passed = await through(PATH, headers)
      const after = await direct(PATH, headers)
      return before.body.equals(after.body) ? ([before, passed] as const) : undefined
    })
    assert.deepEqual(shown(given), shown(expected))
    assert.match(String(given.headers["content-type"]), /^application\/vnd\.google\.protobuf/)
    assert.ok(given.body.equals(expected.body))
    assert.ok(isNative(given.body))
  })
}

function shown({ status, headers }: ReceivedResponse) {
  return { status, type: headers["content-type"], encoding: headers["content-encoding"] }
}

/** Whether these delimited MetricFamily messages hold a histogram with a schema and spans of buckets. */
function isNative(body: Buffer): boolean {
  const families: Buffer[] = []
  for (let rest = body; rest.length > 0;) {
    const [length, from] = varint(rest, 0)
    families.push(rest.subarray(from, from + length))
    rest = rest.subarray(from + length)
  }
  const histograms = families.flatMap((family) => parts(family, 4)).flatMap((metric) => parts(metric, 7))
  return histograms.some((histogram) => fields(histogram).has(5) && parts(histogram, 12).length > 0)
}

/** The values of a field that holds bytes, in a protobuf message. */
function parts(message: Buffer, field: number): readonly Buffer[] {
  return fields(message).get(field) ?? []
}

function fields(message: Buffer): ReadonlyMap<number, readonly Buffer[]> {
  const found = new Map<number, Buffer[]>()
  for (let at = 0; at < message.length;) {
    const [tag, from] = varint(message, at)
    const [start, end] = extent(message, from, tag & 7)
    found.set(tag >>> 3, [...(found.get(tag >>> 3) ?? []), message.subarray(start, end)])
    at = end
  }
  return found
}

function extent(message: Buffer, from: number, wireType: number): readonly [start: number, end: number] {
  if (wireType === 0) return [from, varint(message, from)[1]]
  if (wireType === 1) return [from, from + 8]
  if (wireType === 5) return [from, from + 4]
  const [length, start] = varint(message, from)
  return [start, start + length]
}

function varint(message: Buffer, from: number): readonly [value: number, end: number] {
  let value = 0
  let at = from
  for (let shift = 1; at < message.length; shift *= 128) {
    const byte = message[at++] ?? 0
    value += (byte & 127) * shift
    if (byte < 128) break
  }
  return [value, at]
}
