import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { Worker } from "node:worker_threads"
import { once } from "node:events"
import { createLogger } from "#core/log/logger.ts"
import { until } from "../../../../dev/testing/until.ts"
import { tooManySeries } from "#core/response-cache/send.ts"
import type { Metadata } from "../format/metadata.ts"
import { createExpositionMetrics } from "../metrics.ts"
import { blockOf as compressed, type FakeSeries } from "../store.testing.ts"
import type { FromThread, ResponseOptions, ToThread } from "./messages.ts"
import { openWriters } from "./open-writers.ts"

const OPTIONS: ResponseOptions = {
  wanted: { kind: "text", escaping: "underscores" },
  timestamps: false,
  gzip: false,
  series: 1_000_000,
}
const NEVER = new AbortController().signal
const NO_METADATA: Metadata = new Map()
const UP = { labels: { __name__: "up" }, samples: [[1, 1]] } as const
/** As it is received: memory of snappy cannot be moved. */
const blockOf = (series: readonly FakeSeries[]): Uint8Array => new Uint8Array(compressed(series))
/** Some 10 MB as text. */
const MUCH = Array.from({ length: 1000 }, (_, i) => ({
  labels: { __name__: "up", i: String(i), pad: "x".repeat(10_000) },
  samples: [[1, 1]] as const,
}))

/** Does what the label of a page says; at the end it fails with the messages that it has received. */
const SOURCE = `
    import { parentPort } from "node:worker_threads"
    const kinds = []
    parentPort.postMessage({ kind: "ready" })
    parentPort.on("message", (message) => {
      const { kind, id } = message
      if (kind !== "cancel") kinds.push(kind)
      if (kind === "end") parentPort.postMessage({ kind: "failed", id, error: { code: "SEEN", status: 500, message: kinds.join(" ") } })
      if (kind !== "page") return
      const [what] = message.blocks[0].label
      if (what === "end") process.exit(3)
      if (what === "hang") for (;;);
      parentPort.postMessage({ kind: "done", id, series: 1, read: 2 })
    })`
const OBEDIENT = new URL(`data:text/javascript,${encodeURIComponent(SOURCE)}`)
const pageOf = (what: string) => [{ block: new Uint8Array(8), label: [what, ""] as const }]

function open(t: TestContext, thread?: URL, patience?: number) {
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "exposition", (line) => lines.push(line))
  const metrics = createExpositionMetrics()
  const writers = openWriters({ metrics, log, ...(thread && { thread }), ...(patience !== undefined && { patience }) })
  t.after(() => writers.close())
  const metric = async (name: string): Promise<number | undefined> =>
    (await metrics.registry.getMetricsAsJSON()).find((one) => one.name.endsWith(name))?.values[0]?.value
  return { writers, lines, metric }
}

/** Keeps what it gets. */
function sinkOf(add: (chunk: Buffer) => void = () => undefined) {
  const chunks: Buffer[] = []
  return {
    begun: 0,
    series: 0,
    begin(): void {
      this.begun++
    },
    add(chunk: Buffer): void {
      add(chunk)
      chunks.push(chunk)
    },
    count(series: number): void {
      this.series = series
    },
    text: (): string => Buffer.concat(chunks).toString(),
  }
}

test("writes the pages of a response in turn, and of several at once each its own", async (t) => {
  const { writers, metric } = open(t)
  const metadata: Metadata = new Map([["up", { type: "gauge", help: "Is up.", unit: "" }]])
  const [a, b] = [sinkOf(), sinkOf()]
  using first = writers.open(OPTIONS, [metadata], a, NEVER)
  using second = writers.open({ ...OPTIONS, timestamps: true }, [NO_METADATA], b, NEVER)
  const label = ["tenant_id", "x"] as const
  await Promise.all([
    first.write([{ block: blockOf([UP]), label }]),
    second.write([{ block: blockOf([UP]), label: undefined }]),
  ])
  await first.write([{ block: blockOf([{ labels: { __name__: "z" }, samples: [[1, 2]] }]), label: undefined }])
  await Promise.all([first.end(), second.end()])
  assert.equal(
    a.text(),
    '# HELP up Is up.\n# TYPE up gauge\nup{tenant_id="x",instance=""} 1\n# TYPE z untyped\nz{instance=""} 2\n',
  )
  assert.equal(b.text(), '# TYPE up untyped\nup{instance=""} 1 1\n')
  assert.deepEqual([a.series, b.series, await metric("series_read_total")], [2, 1, 3])
})

test("a page that is malformed, and one with too many series, fail with the same error as in this thread", async (t) => {
  const { writers } = open(t)
  const sink = sinkOf()
  {
    using writer = writers.open(OPTIONS, [], sink, NEVER)
    await assert.rejects(writer.write([{ block: Buffer.from([1, 0, 7]), label: undefined }]), {
      name: "FedstackError",
      code: "UPSTREAM_BAD_RESPONSE",
      status: 502,
      message: "The store of the metrics sent a response that cannot be used: its series are malformed.",
    })
    await assert.rejects(writer.end(), { code: "UPSTREAM_BAD_RESPONSE" })
  }
  using writer = writers.open({ ...OPTIONS, series: 999 }, [], sink, NEVER)
  await assert.rejects(writer.write([{ block: blockOf(MUCH), label: undefined }]), tooManySeries({ limit: 999 }))
  assert.equal(sink.series <= 1000, true)
})

test("a response that is not wanted any more leaves its page, and others go on", async (t) => {
  const { writers, lines } = open(t)
  const leaving = new AbortController()
  const sink = sinkOf(() => leaving.abort(new Error("left")))
  using writer = writers.open(OPTIONS, [], sink, leaving.signal)
  await assert.rejects(writer.write([{ block: blockOf(MUCH), label: undefined }]), { message: "left" })
  assert.equal(sink.text().length < 5_000_000, true)
  await assert.rejects(writer.end(), { message: "left" })
  const other = sinkOf()
  using next = writers.open(OPTIONS, [], other, NEVER)
  await next.end()
  assert.deepEqual([other.begun, other.text()], [1, ""])
  assert.deepEqual(lines, []) // it left by itself
})

test("a sink that throws ends its response with that error", async (t) => {
  const { writers } = open(t)
  for (const gzip of [false, true]) {
    const full = new Error("no memory")
    const sink = sinkOf(() => {
      throw full
    })
    using writer = writers.open({ ...OPTIONS, gzip }, [], sink, NEVER)
    const written = async (): Promise<void> => {
      await writer.write([{ block: blockOf(MUCH), label: undefined }])
      await writer.end()
    }
    await assert.rejects(written(), full)
    assert.equal(sink.text(), "")
  }
})

test("the thread is no more than a window ahead of who receives", async (t) => {
  const thread = new Worker(new URL("thread.ts", import.meta.url))
  t.after(() => thread.terminate())
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is for windows
  const send = (message: ToThread): void => thread.postMessage(message)
  let bytes = 0
  let done = false
  thread.on("message", (message: FromThread) => {
    if (message.kind === "chunk") bytes += message.chunk.length
    if (message.kind === "done") done = true
  })
  await once(thread, "message")
  send({ kind: "open", id: 1, options: OPTIONS, metadata: [] })
  const block = blockOf(MUCH)
  send({ kind: "page", id: 1, blocks: [{ block, label: undefined }] })
  send({ kind: "open", id: 2, options: OPTIONS, metadata: [] })
  send({ kind: "page", id: 2, blocks: [{ block: blockOf([UP]), label: undefined }] })
  await until("the other response", () => done)
  done = false
  const window = 2 ** 20
  let received = 0
  const isDone = (): boolean => done
  while (!isDone()) {
    await until("a full window", () => done || bytes > window + received)
    assert.equal(bytes <= window + received + 100_000, true)
    received += window / 2
    send({ kind: "received", id: 1, bytes: window / 2 })
  }
  assert.equal(bytes > 9_900_000, true)
})

test("what is written fails where the thread ends, and the next response starts it again", async (t) => {
  const { writers, lines, metric } = open(t, OBEDIENT)
  using dying = writers.open(OPTIONS, [], sinkOf(), NEVER)
  using other = writers.open(OPTIONS, [], sinkOf(), NEVER)
  await assert.rejects(dying.write(pageOf("end")), { code: "CANNOT_WRITE", status: 503 })
  await assert.rejects(other.write(pageOf("write")), { code: "CANNOT_WRITE" })
  using next = writers.open(OPTIONS, [], sinkOf(), NEVER)
  await next.write(pageOf("write"))
  assert.equal(await metric("writer_failures_total"), 1)
  assert.deepEqual(
    lines.map((line) => line.replace(/ts=\S+ /, "")),
    [
      'level=error component=exposition msg="the thread that writes responses ended, the responses that it was writing fail" reason="exit code 3"\n',
      'level=info component=exposition msg="the thread that writes responses is started again"\n',
    ],
  )
})

test("a thread that hangs in a response that nobody wants is replaced", async (t) => {
  const { writers, lines } = open(t, OBEDIENT, 100)
  const leaving = new AbortController()
  using writer = writers.open(OPTIONS, [], sinkOf(), leaving.signal)
  const written = writer.write(pageOf("hang"))
  leaving.abort(new Error("left"))
  await assert.rejects(written, { message: "left" })
  using next = writers.open(OPTIONS, [], sinkOf(), NEVER)
  await next.write(pageOf("write"))
  assert.match(lines.join(""), /reason="it hangs"/)
})

for (const [what, thread, reason] of [
  ["be created", new URL("https://example.org/no-thread"), /reason="The URL must be of scheme file"/],
  ["be loaded", new URL("no-such-thread.ts", import.meta.url), /reason="Cannot find module/],
] as const) {
  test(`a thread that cannot ${what} is reported, and fails the response alone`, async (t) => {
    const { writers, lines, metric } = open(t, thread)
    for (let round = 1; round <= 2; round++) {
      const written = async (): Promise<void> => {
        using writer = writers.open(OPTIONS, [], sinkOf(), NEVER)
        await writer.end()
      }
      await assert.rejects(written(), { code: "CANNOT_WRITE", status: 503 })
      assert.equal(await metric("writer_failures_total"), round)
    }
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? "", reason)
  })
}

test("metadata is sent once, unless it is too large to be kept", async (t) => {
  const { writers } = open(t, OBEDIENT)
  const family = { type: "gauge", help: "", unit: "" } as const
  const small: Metadata = new Map([["up", family]])
  const large: Metadata = new Map(Array.from({ length: 50_000 }, (_, i) => [`m${i}`, family]))
  const seen: string[] = []
  for (const metadata of [[small, large], [small, large], [small]]) {
    using writer = writers.open(OPTIONS, metadata, sinkOf(), NEVER)
    await writer.end().catch(({ message }: Error) => seen.push(message))
  }
  const first = "metadata metadata open forget end"
  assert.deepEqual(seen, [first, `${first} metadata open forget end`, `${first} metadata open forget end open end`])
})
