import assert from "node:assert/strict"
import { test } from "node:test"
import { VERSION } from "#core/metrics/registry.ts"
import {
  accept,
  respondWith,
  samplesOf,
  SENDER,
  sliceOf,
  startForward,
  startUpstream,
  writtenHeaders,
} from "./testing.ts"

const head = (port: number, lines: readonly string[]): string =>
  [
    "POST /api/v1/push?a=b HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    "connection: keep-alive",
    ...lines,
    `user-agent: fedstack-tenancy-proxy/${VERSION}`,
  ].join("\r\n")

test("sends a slice of version 1 with one X-Scope-OrgID and the URL as it stands", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url])
  const outcome = await forward(sliceOf("team-a", ["one", "two"]), SENDER)
  assert.deepEqual(outcome, {
    kind: "accepted",
    status: 200,
    written: { samples: 2, histograms: 0, exemplars: 0 },
  })
  assert.deepEqual(
    upstream.received.map(({ raw, samples }) => [raw, samples]),
    [
      [
        `${head(upstream.port, [
          "content-type: application/x-protobuf",
          "content-encoding: snappy",
          "x-prometheus-remote-write-version: 0.1.0",
        ])}\r\nx-scope-orgid: team-a\r\ncontent-length: 10`,
        ["one", "two"],
      ],
    ],
  )
})

test("sends a slice of version 2 as such, with the attempt of the sender and the headers of the settings", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url], {}, { headers: ["x-cluster", "a"] })
  const outcome = await forward(sliceOf("team-a", ["one"], { version: 2 }), { ...SENDER, retryAttempt: 3 })
  assert.deepEqual(outcome, { kind: "accepted", status: 204, written: { samples: 1, histograms: 0, exemplars: 0 } })
  assert.deepEqual(
    upstream.received.map(({ raw }) => raw),
    [
      `${head(upstream.port, [
        "content-type: application/x-protobuf;proto=io.prometheus.write.v2.Request",
        "content-encoding: snappy",
        "x-prometheus-remote-write-version: 2.0.0",
      ])}\r\nx-scope-orgid: team-a\r\nx-cluster: a\r\nretry-attempt: 3\r\ncontent-length: 6`,
    ],
  )
})

test("reports a refusal with the upstream's words, its Retry-After and what it wrote nevertheless", async (t) => {
  const upstream = await startUpstream(t, ({ socket }) =>
    respondWith(socket, 429, { "retry-after": 7, ...writtenHeaders(1) }, "too\u0007 fast\r\nslow down\n"),
  )
  const { forward } = await startForward(t, [upstream.url])
  assert.deepEqual(await forward(sliceOf("a", ["one", "two"], { version: 2 }), SENDER), {
    kind: "failed",
    status: 429,
    retryAfter: 7,
    written: { samples: 1, histograms: 0, exemplars: 0 },
    reason: "too fast slow down",
  })
})

test("reports an upstream that cannot be reached", async (t) => {
  const upstream = await startUpstream(t, accept)
  upstream.server.close()
  const { forward } = await startForward(t, [upstream.url])
  const outcome = await forward(sliceOf("a", ["one"]), SENDER)
  assert.deepEqual(outcome, {
    kind: "failed",
    status: 0,
    written: { samples: 0, histograms: 0, exemplars: 0 },
    reason: "the connection was refused",
  })
})

test("sends what waits of several senders for a tenant in one request, and each gets its own counts", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url])
  const outcomes = await Promise.all(
    [["a1", "a2"], ["b1"], ["c1"]].map((samples) => forward(sliceOf("a", samples, { version: 2 }), SENDER)),
  )
  assert.deepEqual(
    outcomes.map(({ kind, written }) => [kind, written.samples]),
    [
      ["accepted", 2],
      ["accepted", 1],
      ["accepted", 1],
    ],
  )
  assert.deepEqual(
    upstream.received.map(({ samples }) => samples),
    [["a1", "a2", "b1", "c1"]],
  )
})

test("sends slices singly again after a refusal that they share, which reaches only the one whose it is", async (t) => {
  const upstream = await startUpstream(t, (received) => {
    if (received.samples.includes("bad")) respondWith(received.socket, 400, {}, "out of order")
    else void accept(received)
  })
  const { forward } = await startForward(t, [upstream.url])
  const outcomes = await Promise.all([["a"], ["bad"], ["c"]].map((samples) => forward(sliceOf("t", samples), SENDER)))
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.kind === "failed" ? outcome.reason : outcome.written.samples)),
    [1, "out of order", 1],
  )
  assert.deepEqual(
    upstream.received.map(({ samples }) => samples),
    [["a", "bad", "c"], ["a"], ["bad"], ["c"]],
  )
})

test("ends with an outcome for what is in flight and what waits", async (t) => {
  const upstream = await startUpstream(t, () => undefined)
  const forwarding = await startForward(t, [upstream.url], { parallelOfTenant: 1 })
  const first = forwarding.forward(sliceOf("a", ["one"]), SENDER)
  await samplesOf(upstream, 1)
  const waiting = forwarding.forward(sliceOf("a", ["two"]), SENDER)
  await forwarding.close()
  const outcomes = await Promise.all([first, waiting])
  assert.deepEqual(
    outcomes.map(({ kind, status }) => [kind, status]),
    [
      ["failed", 0],
      ["failed", 0],
    ],
  )
})
