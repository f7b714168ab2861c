import assert from "node:assert/strict"
import { test } from "node:test"
import {
  accept,
  gate,
  respondWith,
  samplesOf,
  SENDER,
  shownOutcome,
  sliceOf,
  startForward,
  startUpstream,
  writtenHeaders,
} from "./testing.ts"

test("starts as many requests of a tenant as may be, and what waits meanwhile leaves together", async (t) => {
  const { opened, open } = gate()
  const upstream = await startUpstream(t, async (received) => {
    await opened
    await accept(received)
  })
  const { forward } = await startForward(t, [upstream.url], { parallelOfTenant: 2 })
  const sent = []
  for (const [index, samples] of [["a"], ["b"], ["c"], ["d"], ["e"]].entries()) {
    sent.push(forward(sliceOf("t", samples), SENDER))
    await samplesOf(upstream, Math.min(index + 1, 2))
  }
  open()
  assert.deepEqual((await Promise.all(sent)).map(shownOutcome), Array(5).fill("accepted 1"))
  assert.deepEqual(await samplesOf(upstream, 3), [["a"], ["b"], ["c", "d", "e"]])
})

test("shares no request among tenants, groups and versions", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url], { parallelOfTenant: 1 })
  const slices = [
    sliceOf("t", ["a"]),
    sliceOf("t", ["b"], { version: 2 }),
    sliceOf("t", ["c"], { group: "replica-a" }),
    sliceOf("t", ["d"], { group: "replica-b" }),
    sliceOf("u", ["e"]),
    sliceOf("t", ["f"], { group: "replica-b" }),
  ]
  const outcomes = await Promise.all(slices.map((slice) => forward(slice, SENDER)))
  assert.deepEqual(outcomes.map(shownOutcome), Array(6).fill("accepted 1"))
  assert.deepEqual(
    upstream.received.filter(({ tenant }) => tenant === "t").map(({ version, samples }) => [version, ...samples]),
    [
      [1, "a"],
      [2, "b"],
      [1, "c"],
      [1, "d", "f"],
    ],
  )
})

test("shares a request up to its bound of samples, of metadata too, and never where none is shared", async (t) => {
  const upstream = await startUpstream(t, accept)
  const send = async (sharedElements: number) => {
    const { forward } = await startForward(t, [upstream.url], { parallelOfTenant: 1, sharedElements })
    const before = upstream.received.length
    const slices = [["a", "b"], ["c"], ["d"], ["e", "f", "g", "h"], ["i"]].map((samples) => sliceOf("t", samples))
    await Promise.all([...slices, sliceOf("t", [], { metadata: 3 })].map((slice) => forward(slice, SENDER)))
    return upstream.received.slice(before).map(({ samples }) => samples.join(""))
  }
  assert.deepEqual(await send(3), ["abc", "d", "efgh", "i", ""])
  assert.deepEqual(await send(0), ["ab", "c", "d", "efgh", "i", ""])
})

test("sends the largest attempt of those that share a request", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url])
  await Promise.all([undefined, 2, 1].map((retryAttempt) => forward(sliceOf("t", ["a"]), { ...SENDER, retryAttempt })))
  assert.deepEqual(
    upstream.received.map(({ retryAttempt }) => retryAttempt),
    ["2"],
  )
})

test("sends singly again what shared a 202, of which only some may be another replica's", async (t) => {
  const upstream = await startUpstream(t, ({ socket, samples }) => {
    const isReplica = samples[0] === "b"
    if (isReplica) respondWith(socket, 202, writtenHeaders(0))
    else respondWith(socket, samples.length > 1 ? 202 : 204, writtenHeaders(samples.length > 1 ? 0 : 1))
  })
  const { forward } = await startForward(t, [upstream.url])
  const outcomes = await Promise.all(["a", "b"].map((name) => forward(sliceOf("t", [name], { version: 2 }), SENDER)))
  assert.deepEqual(
    outcomes.map((outcome) => [outcome.status, outcome.kind, outcome.written.samples]),
    [
      [204, "accepted", 1],
      [202, "accepted", 1],
    ],
  )
  assert.deepEqual(await samplesOf(upstream, 3), [["a", "b"], ["a"], ["b"]])
})

test("sends singly again what shared a success of which not all was written", async (t) => {
  const upstream = await startUpstream(t, ({ socket, samples }) =>
    respondWith(socket, 204, writtenHeaders(samples.filter((name) => name !== "lost").length)),
  )
  const { forward } = await startForward(t, [upstream.url])
  const outcomes = await Promise.all(
    [
      ["a", "b"],
      ["c", "lost"],
    ].map((samples) => forward(sliceOf("t", samples, { version: 2 }), SENDER)),
  )
  assert.deepEqual(outcomes.map(shownOutcome), ["accepted 2", "accepted 1"])
})

for (const status of [502, 503, 504, 529]) {
  test(`gives all who share it the status ${status}, and sends their tenant's slices apart for a while`, async (t) => {
    let [time, isDown] = [0, true]
    const upstream = await startUpstream(t, (received) => {
      if (isDown) respondWith(received.socket, status, { "retry-after": 9 }, "try later")
      else void accept(received)
    })
    const { forward } = await startForward(t, [upstream.url], {}, {}, () => time)
    const send = (tenant: string) => Promise.all(["a", "b"].map((name) => forward(sliceOf(tenant, [name]), SENDER)))
    assert.deepEqual(
      (await send("t")).map((outcome) => [shownOutcome(outcome), outcome.kind === "failed" && outcome.retryAfter]),
      [
        [`${status} 0 try later`, 9],
        [`${status} 0 try later`, 9],
      ],
    )
    assert.deepEqual(await samplesOf(upstream, 1), [["a", "b"]])
    isDown = false
    assert.deepEqual((await send("t")).map(shownOutcome), Array(2).fill("accepted 1"))
    assert.deepEqual(await samplesOf(upstream, 3), [["a", "b"], ["a"], ["b"]])
    await send("u")
    assert.deepEqual((await samplesOf(upstream, 4)).slice(3), [["a", "b"]])
    time += 5_001
    await send("t")
    assert.deepEqual((await samplesOf(upstream, 5)).slice(4), [["a", "b"]])
  })
}

test("lets a message of which an upstream dies take others with it once, not for ever", async (t) => {
  const upstream = await startUpstream(t, (received) => {
    if (received.samples.includes("poison")) received.socket.resetAndDestroy()
    else void accept(received)
  })
  const { forward } = await startForward(t, [upstream.url])
  const send = () => Promise.all(["a", "poison", "b"].map((name) => forward(sliceOf("t", [name]), SENDER)))
  assert.deepEqual((await send()).map(shownOutcome), Array(3).fill("0 0 the connection was reset"))
  assert.deepEqual((await send()).map(shownOutcome), ["accepted 1", "0 0 the connection was reset", "accepted 1"])
})

test("delivers the others where a slice cannot be encoded, or its sender has gone", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward, log } = await startForward(t, [upstream.url])
  const gone = new AbortController()
  const broken = () => {
    throw new Error("no such symbol")
  }
  const outcomes = [
    forward(sliceOf("t", ["a"]), SENDER),
    forward(sliceOf("t", ["b"], { appendTo: broken }), SENDER),
    forward(sliceOf("t", ["c"]), { ...SENDER, signal: gone.signal }),
    forward(sliceOf("t", ["d"]), SENDER),
  ]
  gone.abort()
  assert.deepEqual((await Promise.all(outcomes)).map(shownOutcome), [
    "accepted 1",
    "0 0 it cannot be encoded, which is a defect of the proxy",
    "0 0 the sender closed the connection",
    "accepted 1",
  ])
  assert.deepEqual(await samplesOf(upstream, 2), [["a"], ["d"]])
  assert.match(log(), /level=error .*msg="encoding failed" tenant=t slices=1 reason="no such symbol"/)
})

test("lets what is on its way go on where a sender leaves, as others share it and it may be written anyway", async (t) => {
  const { opened, open } = gate()
  const upstream = await startUpstream(t, async (received) => {
    await opened
    await accept(received)
  })
  const { forward } = await startForward(t, [upstream.url])
  const leaving = new AbortController()
  const outcomes = [
    forward(sliceOf("t", ["a"]), { ...SENDER, signal: leaving.signal }),
    forward(sliceOf("t", ["b"]), SENDER),
  ]
  await samplesOf(upstream, 1)
  leaving.abort()
  open()
  assert.deepEqual((await Promise.all(outcomes)).map(shownOutcome), ["accepted 1", "accepted 1"])
})

test("sends a tenant's slices apart for a while after a refusal, each time for longer, until a shared request is accepted", async (t) => {
  let [time, isBad] = [0, true]
  const upstream = await startUpstream(t, (received) => {
    if (isBad && received.samples.includes("b")) respondWith(received.socket, 400, {}, "out of order")
    else void accept(received)
  })
  const { forward } = await startForward(t, [upstream.url], {}, {}, () => time)
  let seen = 0
  /** How many slices the requests have that follow when two are sent so much later, in milliseconds. */
  const sizesAfter = async (milliseconds: number): Promise<readonly number[]> => {
    time += milliseconds
    await Promise.all(["a", "b"].map((name) => forward(sliceOf("t", [name]), SENDER)))
    const sizes = upstream.received.slice(seen).map(({ samples }) => samples.length)
    seen = upstream.received.length
    return sizes
  }
  const [together, apart, refused] = [[2], [1, 1], [2, 1, 1]]
  assert.deepEqual(await sizesAfter(0), refused)
  assert.deepEqual(await sizesAfter(0), apart)
  assert.deepEqual(await sizesAfter(5_001), refused)
  assert.deepEqual(await sizesAfter(4_999), apart)
  isBad = false
  assert.deepEqual(await sizesAfter(5_002), together)
  assert.deepEqual(await sizesAfter(0), together)
  isBad = true
  assert.deepEqual(await sizesAfter(0), refused)
  assert.deepEqual(await sizesAfter(5_001), refused)
})
