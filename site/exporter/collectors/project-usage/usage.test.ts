import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { hoursBetween, type Server, type ProjectUsage, UsageSums } from "./usage.ts"
import { sortWeights, type Weights } from "./weights.ts"

const ALL_FRESH = { start: 0, fresh: 0 }
const NOTHING = { servers: 0, vcpus: 0, memoryMb: 0, diskGb: 0 }

/** The usage of one project. */
function usageOf(all: readonly Server[], weights: Weights, { start, fresh }: typeof ALL_FRESH): ProjectUsage {
  const sums = new UsageSums(weights, { start, end: 20 * 3600, freshSince: () => fresh })
  for (const one of all) sums.add("p", one)
  return sums.of("p")
}

const server = (changes: Partial<Server>): Server => ({
  vcpus: 4,
  memoryMb: 8192,
  diskGb: 0,
  hours: 10,
  startedAt: 0,
  endedAt: Infinity,
  ...changes,
})

test("adds hours times amount, memory in whole GiB for the old name and exact in bytes for the new one", () => {
  const amounts = { vcpuSeconds: 42 * 3600, memoryByteSeconds: (10 * 8192 + 2 * 1536) * 2 ** 20 * 3600 }
  assert.deepEqual(usageOf([server({}), server({ memoryMb: 1536, hours: 2, vcpus: 1 })], [], ALL_FRESH), {
    vcpuHours: 10 * 4 + 2,
    legacyMemory: 10 * 8 + 2 * 1,
    ...amounts,
    fresh: amounts,
    countedTo: 10 * 3600,
    usedTo: 10 * 3600,
    inUse: { servers: 2, vcpus: 5, memoryMb: 8192 + 1536, diskGb: 0 },
  })
})

test("a server below one GiB counts nothing for the old name, and in full for the new one", () => {
  const usage = usageOf([server({ memoryMb: 512, hours: 1 })], [], ALL_FRESH)
  assert.equal(usage.legacyMemory, 0)
  assert.equal(usage.memoryByteSeconds, 3600 * 512 * 2 ** 20)
})

test("weights in MB are looked up with GiB for the old name, and with MB for the new one", () => {
  const memoryMb = [
    { value: 4096, weight: 2 },
    { value: 16_384, weight: 5 },
  ]
  const usage = usageOf([server({ hours: 1 })], sortWeights([{ from: 0, vcpus: [], memoryMb }]), ALL_FRESH)
  assert.equal(usage.legacyMemory, 8 * 2)
  assert.equal(usage.memoryByteSeconds, 3600 * 8192 * 2 ** 20 * 5)
})

test("hours of 0 or less count nothing", () => {
  const amounts = { vcpuSeconds: 0, memoryByteSeconds: 0 }
  const none = { vcpuHours: 0, legacyMemory: 0, ...amounts, fresh: amounts, countedTo: 0, usedTo: 0 }
  const inUse = { servers: 2, vcpus: 8, memoryMb: 2 * 8192, diskGb: 0 }
  assert.deepEqual(usageOf([server({ hours: 0 }), server({ hours: -5 })], [], ALL_FRESH), { ...none, inUse })
  assert.deepEqual(usageOf([], [], ALL_FRESH), { ...none, inUse: NOTHING })
})

test("what is in use is what has started and not ended at the end of the period", () => {
  const [end, later] = [20 * 3600, 20 * 3600 + 1]
  const servers = [
    server({ startedAt: end, endedAt: later, diskGb: 3 }),
    server({ startedAt: later }),
    server({ startedAt: 0, endedAt: end }),
  ]
  assert.deepEqual(usageOf(servers, [], ALL_FRESH).inUse, { servers: 1, vcpus: 4, memoryMb: 8192, diskGb: 3 })
})

test("a server of a part counts for the part alone, and parts are in the order of their first servers", () => {
  const sums = new UsageSums([], { start: 0, end: 0, freshSince: (key) => (key === "p/b" ? 10 * 3600 : 0) })
  for (const part of ["b", "a", "b"]) sums.add("p", server({ hours: 1 }), part)
  sums.add("p", server({ hours: 3 }))
  assert.deepEqual(sums.partsOf("p"), ["b", "a"])
  assert.deepEqual(sums.partsOf("q"), [])
  assert.deepEqual(
    ["p", "p/a", "p/b"].map((key) => [sums.of(key).vcpuHours, sums.of(key).fresh.vcpuSeconds]),
    [
      [12, 12 * 3600],
      [4, 4 * 3600],
      [8, 0],
    ],
  )
})

test("what lies after a moment is fresh, by the hours that the cloud counted", () => {
  const hour = 3600
  const servers = [
    server({ startedAt: 0, hours: 5 }), // since before the start, at hour 10
    server({ startedAt: 12 * hour, hours: 1 }), // ended before the moment, at hour 14
    server({ startedAt: 14.5 * hour, hours: 0.5 }),
  ]
  const { fresh } = usageOf(servers, [], { start: 10 * hour, fresh: 14 * hour })
  assert.deepEqual(fresh, { vcpuSeconds: 1.5 * 4 * hour, memoryByteSeconds: 1.5 * 8 * 2 ** 30 * hour })
})

const instant = fc.integer({ min: 0, max: 4e9 })
const buckets = fc.array(
  fc.record({
    value: fc.integer({ min: 1, max: 40_000 }),
    weight: fc.integer({ min: 0, max: 72 }).map((eighths) => eighths / 8),
  }),
)
const weightSets = fc.array(fc.record({ from: instant, vcpus: buckets, memoryMb: buckets }), { maxLength: 4 })
const servers = fc.array(
  fc.record({
    vcpus: fc.integer({ min: 1, max: 128 }),
    memoryMb: fc.integer({ min: 1, max: 2 ** 20 }),
    hours: fc.integer({ min: -3600, max: 360_000_000 }).map((seconds) => seconds / 3600),
    startedAt: instant,
    diskGb: fc.constant(0),
    endedAt: fc.constant(Infinity),
  }),
)

test("equals a naive re-implementation from the description of the weights", () => {
  const pick = (list: readonly { value: number; weight: number }[], amount: number): number => {
    let best: { value: number; weight: number } | undefined
    let largest: { value: number; weight: number } | undefined
    for (const bucket of list) {
      if (bucket.value >= amount && (best === undefined || bucket.value <= best.value)) best = bucket
      if (largest === undefined || bucket.value >= largest.value) largest = bucket
    }
    return (best ?? largest)?.weight ?? 1
  }
  fc.assert(
    fc.property(servers, weightSets, (list, sets) => {
      let expected = { vcpuHours: 0, legacyMemory: 0, bytes: 0 }
      for (const { vcpus, memoryMb, hours, startedAt } of list) {
        if (!(hours > 0)) continue
        const times = sets.map(({ from }) => from)
        const past = times.filter((from) => from <= startedAt)
        const time = past.length > 0 ? Math.max(...past) : Math.min(...times)
        const set = sets.findLast(({ from }) => from === time)
        const gib = Math.floor(memoryMb / 1024)
        expected = {
          vcpuHours: expected.vcpuHours + hours * vcpus * pick(set?.vcpus ?? [], vcpus),
          legacyMemory: expected.legacyMemory + hours * gib * pick(set?.memoryMb ?? [], gib),
          bytes: expected.bytes + hours * 3600 * memoryMb * 1_048_576 * pick(set?.memoryMb ?? [], memoryMb),
        }
      }
      const usage = usageOf(list, sortWeights(sets), ALL_FRESH)
      assert.equal(usage.vcpuHours, expected.vcpuHours)
      assert.equal(usage.legacyMemory, expected.legacyMemory)
      assert.equal(usage.vcpuSeconds, expected.vcpuHours * 3600)
      assert.ok(Math.abs(usage.memoryByteSeconds - expected.bytes) <= 1e-9 * expected.bytes)
    }),
  )
})

test("hours are those minutes of the existence that lie in the period, counted one by one", () => {
  const minute = fc.integer({ min: 0, max: 300 })
  fc.assert(
    fc.property(minute, minute, minute, fc.oneof(minute, fc.constant(Infinity)), (start, length, from, to) => {
      const end = start + length
      let minutes = 0
      for (let at = start; at < end; at += 1) if (at >= from && at < to) minutes += 1
      const milliseconds = [start, end, from, to].map((value) => value * 60_000) as [number, number, number, number]
      const [a, b, c, d] = milliseconds
      assert.equal(hoursBetween([a, b], [c, d]), minutes / 60)
    }),
  )
})
