import assert from "node:assert/strict"
import { rmSync, writeFileSync } from "node:fs"
import { test, type TestContext } from "node:test"
import { Registry } from "prom-client"
import { explain } from "#core/errors.ts"
import { createLogger } from "#core/log/logger.ts"
import { fileOf, jsonServer, serverOf } from "./testing.ts"
import { refreshed, weightsFromEndpoint, weightsFromFile, type WeightSource } from "./weight-source.ts"

const { signal } = new AbortController()
const now = new Date("2026-03-10T12:00:00Z")
const sets = [{ resource_set_timestamp: 5, id: 1, vcpus: [{ value: 4, weight: 2, note: "" }], memory_mb: [] }]
const weights = [{ from: 5, vcpus: [{ value: 4, weight: 2 }], memoryMb: [] }]

/** Endpoints that cannot be used, and the messages. */
const unusable: readonly (readonly [string, (test: TestContext) => Promise<URL>, RegExp])[] = [
  [
    "down",
    () => Promise.resolve(new URL("http://127.0.0.1:1/data")),
    /^GET http:\/\/127\.0\.0\.1:1\/data: the connection was refused: connect ECONNREFUSED 127\.0\.0\.1:1$/,
  ],
  ["slow", (t) => serverOf(t, () => undefined), /\/data: no whole response within 0\.2 s$/],
  [
    "an error",
    (t) => serverOf(t, (_, response) => response.writeHead(503).end("<html>")),
    /\/data responded with 503, not 200$/,
  ],
  [
    "elsewhere",
    (t) => serverOf(t, (_, response) => response.writeHead(301, { location: "/" }).end()),
    /responded with 301, not 200$/,
  ],
  [
    "HTML",
    (t) => serverOf(t, (_, response) => response.setHeader("content-type", "text/html").end("<p>")),
    /responded with no JSON but text\/html/,
  ],
  [
    "huge",
    (t) => serverOf(t, (_, response) => response.end("[".repeat(2_000_000))),
    /the response is larger than 1048576 bytes$/,
  ],
]

for (const [what, open, message] of unusable) {
  test(`reports an endpoint that is ${what}`, async (t) => {
    const url = await open(t)
    await assert.rejects(weightsFromEndpoint({ url, timeout: what === "slow" ? 0.2 : 10 }, signal), (error) =>
      message.test(explain(error)),
    )
  })
}

test("reports everything that is wrong in a response, and not what its query was", async (t) => {
  const url = await jsonServer(t, [{ resource_set_timestamp: "x", vcpus: [{ value: 1, weight: -1 }] }])
  await assert.rejects(weightsFromEndpoint({ url: new URL("?key=secret", url), timeout: 5 }, signal), {
    message: `${url.href} responded with something else than expected: 0.resource_set_timestamp: must be a number; 0.vcpus.0.weight: must be 0 or more; 0.memory_mb: must be a list`,
  })
  const empty = await jsonServer(t, {})
  await assert.rejects(weightsFromEndpoint({ url: empty, timeout: 5 }, signal), /the whole: must be a list$/)
})

test("reads weights from an endpoint, which may have other fields too", async (t) => {
  assert.deepEqual(await weightsFromEndpoint({ url: await jsonServer(t, sets), timeout: 5 }, signal), weights)
})

test("refuses a file of weights with other fields", async (t) => {
  const good = "[[weights]]\nresource_set_timestamp = 5\nvcpus = [{value = 4, weight = 2}]\nmemory_mb = []\n"
  assert.deepEqual(await weightsFromFile(fileOf(t, good)), weights)
  const bad = fileOf(t, `${good}memory = []\n[[weights]]\nvcpus = 5\n`, "weights.toml")
  await assert.rejects(weightsFromFile(bad), {
    message: [
      `${bad}:5 weights[0].memory: unknown key`,
      `${bad}:6 weights[1].resource_set_timestamp: must be a number`,
      `${bad}:7 weights[1].vcpus: must be a list`,
      `${bad}:6 weights[1].memory_mb: must be a list`,
    ].join("\n"),
  })
})

test("the fake sites' weights are good", async () => {
  const file = new URL("../../../../dev/fixtures/weights.toml", import.meta.url).pathname
  assert.equal((await weightsFromFile(file)).length, 2)
})

/** A refreshed source over `load`, with its gauges and log. */
function refreshedOf(load: WeightSource, every: number) {
  const registry = new Registry()
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line))
  const source = refreshed(load, { every, registry, log, now: () => now })
  const gauge = async (name: string) =>
    (await registry.getSingleMetric(`fedstack_project_usage_weights_${name}`)?.get())?.values[0]?.value
  return { read: () => source(signal), failure: () => source.failure?.(), gauge, log: () => lines.join("") }
}

test("weights are loaded at the first read and at every n-th after it", async () => {
  let loads = 0
  const { read } = refreshedOf(() => Promise.resolve((loads += 1) > 0 ? weights : []), 3)
  const seen: number[] = []
  for (let reads = 0; reads < 7; reads += 1) {
    await read()
    seen.push(loads)
  }
  assert.deepEqual(seen, [1, 1, 1, 2, 2, 2, 3])
})

test("the last good weights stay while loading fails, which is tried again at every read", async (t) => {
  const file = fileOf(t, "weights = []")
  const { read, failure, gauge, log } = refreshedOf(() => weightsFromFile(file), 1)
  assert.deepEqual(await read(), [])
  assert.match(log(), /level=warn .*the weights are empty: every weight is 1/)
  writeFileSync(file, "weights = 5")
  assert.deepEqual(await read(), [])
  assert.equal(await gauge("up"), 0)
  assert.equal(await gauge("last_success_timestamp_seconds"), now.getTime() / 1000)
  assert.equal(failure(), `keeping the previous ones: ${file}:1 weights: must be a list`)
  writeFileSync(file, "[[weights]]\nresource_set_timestamp = 5\nvcpus = [{value = 4, weight = 2}]\nmemory_mb = []\n")
  assert.deepEqual(await read(), weights)
  assert.equal(failure(), undefined)
  assert.equal(await gauge("up"), 1)
})

test("there is no usage before there are weights", async (t) => {
  const file = fileOf(t, "")
  rmSync(file)
  const { read, gauge } = refreshedOf(() => weightsFromFile(file), 10)
  await assert.rejects(
    read(),
    /^FedstackError: There are no weights yet, and usage without them would be wrong: .*cloud\.toml: cannot be read: ENOENT/,
  )
  assert.equal(await gauge("up"), 0)
  assert.equal(await gauge("last_success_timestamp_seconds"), 0)
  writeFileSync(file, "weights = []")
  assert.deepEqual(await read(), [])
})
