import assert from "node:assert/strict"
import { test } from "node:test"
import { accept, gate, samplesOf, SENDER, shownOutcome, sliceOf, startForward, startUpstream } from "./testing.ts"

const tenantsOf = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `tenant-${index}`)

for (const count of [2, 20, 1000]) {
  test(`delivers to ${count} tenants with one request at a time`, async (t) => {
    let [inFlight, most] = [0, 0]
    const upstream = await startUpstream(t, async (received) => {
      most = Math.max(most, ++inFlight)
      await new Promise(setImmediate)
      inFlight--
      await accept(received)
    })
    const { forward } = await startForward(t, [upstream.url], { parallel: 1 })
    const twice = [...tenantsOf(count), ...tenantsOf(count)]
    const outcomes = await Promise.all(twice.map((tenant) => forward(sliceOf(tenant, [tenant]), SENDER)))
    assert.deepEqual(new Set(outcomes.map(shownOutcome)), new Set(["accepted 1"]))
    assert.equal(most, 1)
    assert.deepEqual(
      upstream.received.map(({ tenant, samples }) => [tenant, ...samples]),
      tenantsOf(count).map((tenant) => [tenant, tenant, tenant]),
    )
  })

  test(`delivers to ${count} tenants past one that never gets a response, with one request at a time`, async (t) => {
    const upstream = await startUpstream(t, (received) => {
      if (received.tenant !== "dead") void accept(received)
    })
    const { forward } = await startForward(t, [upstream.url], { parallel: 1, slowAfter: 0.02 })
    const send = (tenant: string, group = "") => forward(sliceOf(tenant, ["a"], { group }), SENDER)
    for (let round = 0; round < 10; round++) void send("dead", `group-${round}`)
    for (let round = 0; round < 2; round++) {
      const outcomes = await Promise.all(tenantsOf(count).map((tenant) => send(tenant)))
      assert.deepEqual(new Set(outcomes.map(shownOutcome)), new Set(["accepted 1"]))
    }
    assert.equal(upstream.received.filter(({ tenant }) => tenant === "dead").length, 1)
  })
}

test("delivers to a tenant past more dead ones than there are parallel requests", async (t) => {
  const upstream = await startUpstream(t, (received) => {
    if (received.tenant === "alive") void accept(received)
  })
  const { forward } = await startForward(t, [upstream.url], { parallel: 4, slowAfter: 0.02 })
  for (const tenant of tenantsOf(100)) void forward(sliceOf(tenant, ["a"]), SENDER)
  assert.equal(shownOutcome(await forward(sliceOf("alive", ["a"]), SENDER)), "accepted 1")
})

test("lets a tenant that was slow send as many requests as others once it is quick again", async (t) => {
  const [first, second] = [gate(), gate()]
  const upstream = await startUpstream(t, async (received) => {
    if (received.samples[0] === "slow") await first.opened
    if (received.samples[0] === "held") await second.opened
    await accept(received)
  })
  const { forward } = await startForward(t, [upstream.url], { parallelOfTenant: 3, slowAfter: 0.05, sharedElements: 0 })
  const send = (name: string) => forward(sliceOf("t", [name]), SENDER)
  const slow = [send("slow"), send("a"), send("b"), send("c")]
  await samplesOf(upstream, 4)
  first.open()
  await Promise.all(slow)
  await send("quick")
  const held = [send("held"), send("held"), send("held"), send("held")]
  await samplesOf(upstream, 8)
  second.open()
  assert.deepEqual((await Promise.all(held)).map(shownOutcome), Array(4).fill("accepted 1"))
})

test("gives tenants turns, however much one of them sends", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url], { parallel: 1, parallelOfTenant: 1, sharedElements: 0 })
  const much = Array.from({ length: 50 }, () => forward(sliceOf("much", ["a"]), SENDER))
  await Promise.all([...much, forward(sliceOf("little", ["b"]), SENDER)])
  assert.deepEqual(
    upstream.received.slice(0, 3).map(({ tenant }) => tenant),
    ["much", "little", "much"],
  )
})

test("gives the groups of a tenant turns", async (t) => {
  const upstream = await startUpstream(t, accept)
  const { forward } = await startForward(t, [upstream.url], { parallelOfTenant: 1, sharedElements: 2 })
  const slices = ["a", "a", "a", "a", "b"].map((group) => sliceOf("t", [group], { group }))
  await Promise.all(slices.map((slice) => forward(slice, SENDER)))
  assert.deepEqual(await samplesOf(upstream, 3), [["a", "a"], ["b"], ["a", "a"]])
})

test("refuses with 503 and Retry-After what waited too long, and forgets it", async (t) => {
  const { opened, open } = gate()
  const upstream = await startUpstream(t, async (received) => {
    await opened
    await accept(received)
  })
  const { forward } = await startForward(t, [upstream.url], { parallelOfTenant: 1, waitingSeconds: 0.02 })
  const first = forward(sliceOf("t", ["a"]), SENDER)
  await samplesOf(upstream, 1)
  assert.deepEqual(await forward(sliceOf("t", ["b"]), SENDER), {
    kind: "failed",
    status: 503,
    retryAfter: 1,
    written: { samples: 0, histograms: 0, exemplars: 0 },
    reason: "it waited 0.02 s for its turn: upstream requests take long",
  })
  open()
  await first
  assert.equal(shownOutcome(await forward(sliceOf("t", ["c"]), SENDER)), "accepted 1")
  assert.deepEqual(await samplesOf(upstream, 2), [["a"], ["c"]])
})

test("refuses with 503 and Retry-After what would wait beyond the bytes of its tenant, and of no other", async (t) => {
  const { opened, open } = gate()
  const upstream = await startUpstream(t, async (received) => {
    await opened
    await accept(received)
  })
  const { forward } = await startForward(t, [upstream.url], { parallelOfTenant: 1, waitingBytesOfTenant: 10 })
  const sent = [forward(sliceOf("t", ["a"]), SENDER)]
  await samplesOf(upstream, 1)
  sent.push(forward(sliceOf("t", ["b"], { bytes: 100 }), SENDER))
  assert.deepEqual(await forward(sliceOf("t", ["c"]), SENDER), {
    kind: "failed",
    status: 503,
    retryAfter: 3600,
    written: { samples: 0, histograms: 0, exemplars: 0 },
    reason: "too much waits for tenant t, whose upstream requests take long",
  })
  sent.push(forward(sliceOf("u", ["d"]), SENDER))
  open()
  assert.deepEqual((await Promise.all(sent)).map(shownOutcome), Array(3).fill("accepted 1"))
})

test("refuses a new tenant where as many as may be have requests under way, and takes no place from one of them", async (t) => {
  const { opened, open } = gate()
  const upstream = await startUpstream(t, async (received) => {
    if (received.tenant === "busy") await opened
    await accept(received)
  })
  const { forward } = await startForward(t, [upstream.url], { tenants: 2 })
  const send = async (tenant: string) => shownOutcome(await forward(sliceOf(tenant, ["a"]), SENDER))
  const busy = send("busy")
  for (const tenant of ["a", "b", "c"]) assert.equal(await send(tenant), "accepted 1")
  const [last, refused] = [send("d"), send("e")]
  assert.equal(await refused, "503 0 too many tenants have requests under way")
  assert.equal(await last, "accepted 1")
  open()
  assert.equal(await busy, "accepted 1")
})

test("keeps no more requests of slow tenants in flight than may be", async (t) => {
  const upstream = await startUpstream(t, () => undefined)
  const bounds = { parallel: 2, parallelSlow: 1, slowAfter: 0.02, waitingSeconds: 0.2 }
  const { forward } = await startForward(t, [upstream.url], bounds)
  const outcomes = ["a", "b", "c", "d"].map((tenant) => forward(sliceOf(tenant, ["x"]), SENDER))
  assert.match(shownOutcome(await Promise.race(outcomes)), /^503 0 it waited 0.2 s/)
  assert.ok(upstream.received.length <= 3)
})
