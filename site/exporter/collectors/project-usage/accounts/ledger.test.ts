import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { advance, account, type LedgerEntry, freshSince, type Ledger } from "./ledger.ts"

const usage = (vcpuSeconds: number, fresh: number, countedTo = 0) => ({
  vcpuSeconds,
  memoryByteSeconds: 2 * vcpuSeconds,
  fresh: { vcpuSeconds: fresh, memoryByteSeconds: 2 * fresh },
  countedTo,
})
const TERMS = { start: 1000, weights: "w" }

/** As it comes back from the disk. */
const fromDisk = (ledger: Ledger): unknown => JSON.parse(JSON.stringify(ledger))

/** What is exported after a series of reports, each the whole and the fresh part. */
const exported = (reports: readonly (readonly [reported: number, fresh: number])[]): readonly number[] => {
  let entry: LedgerEntry | undefined
  return reports.map(([reported, fresh]) => (entry = advance(entry, reported, fresh)).exported)
}

test("is what the cloud reports as long as the cloud forgets nothing", () => {
  const reports = [
    [100, 100],
    [130, 30],
    [130, 0],
    [190.5, 60.5],
  ] as const
  assert.deepEqual(exported(reports), [100, 130, 130, 190.5])
})

test("adds what the cloud forgets, such as archived servers, and goes on from there", () => {
  const reports = [
    [100, 100],
    [40, 10],
    [60, 20],
    [70, 10],
  ] as const
  assert.deepEqual(exported(reports), [100, 110, 130, 140])
})

test("does not count again what comes back", () => {
  const reports = [
    [1000, 1000],
    [11, 1],
    [1002, 1],
    [1003, 1],
  ] as const
  assert.deepEqual(exported(reports), [1000, 1001, 1002, 1003])
})

test("counts what becomes known late", () => {
  assert.deepEqual(
    exported([
      [100, 100],
      [180, 20],
    ]),
    [100, 180],
  )
})

test("a resized server counts with its old size until then, and with the new one after", () => {
  const before = [800, 800] as const // 8 vCPUs for 100 s
  const sameStart = [4 * 110, 4 * 10] as const // 4 vCPUs for all its life
  assert.deepEqual(exported([before, sameStart, [4 * 120, 40]]), [800, 840, 880])
  const newStart = [4 * 10, 4 * 10] as const // as Nova does: it starts anew
  assert.deepEqual(exported([before, newStart, [4 * 20, 40]]), [800, 840, 880])
})

test("never falls, whatever the cloud reports", () => {
  const amount = fc.double({ min: 0, max: 1e12, noNaN: true })
  fc.assert(
    fc.property(fc.array(fc.tuple(amount, amount)), (reports) => {
      let last = 0
      for (const value of exported(reports)) {
        assert.ok(value >= last)
        last = value
      }
    }),
  )
})

test("what is lost for a while and comes back is counted once", () => {
  const seconds = fc.array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.boolean()), { minLength: 1 })
  fc.assert(
    fc.property(seconds, (steps) => {
      // a project of two servers, one of which is now and then missing
      let time = 0
      const reports = steps.map(([step, missing]) => {
        time += step
        return missing ? ([time, step] as const) : ([4 * time, 4 * step] as const)
      })
      for (const [index, value] of exported(reports).entries()) {
        const end = steps.slice(0, index + 1).reduce((sum, [step]) => sum + step, 0)
        assert.ok(value <= 4 * end + 1e-6, `${value} of ${4 * end}`)
      }
    }),
  )
})

test("accounts for each project, forgets those that are gone, and counts those of which a part is retained", () => {
  const first = account(undefined, TERMS, 2000, [
    ["a", usage(10, 10, 1.5)],
    ["b", usage(20, 20)],
  ])
  const projects = { a: [10, 10, 20, 20, 1500], b: [20, 20, 40, 40, 2000] }
  assert.deepEqual(fromDisk(first.ledger), { ...TERMS, since: 2000, end: 2000, projects })
  assert.deepEqual(first.amounts, [
    { vcpuSeconds: 10, memoryByteSeconds: 20 },
    { vcpuSeconds: 20, memoryByteSeconds: 40 },
  ])
  assert.equal(first.retained, 0)
  assert.deepEqual(
    ["a", "b", "new"].map((key) => freshSince(first.ledger, TERMS, key)),
    [1500, 2000, 2000],
  )
  const second = account(first.ledger, TERMS, 3000, [["b", usage(5, 5)]])
  assert.deepEqual(fromDisk(second.ledger), {
    ...TERMS,
    since: 2000,
    end: 3000,
    projects: { b: [25, 5, 50, 10, 3000] },
  })
  assert.equal(second.retained, 1)
})

test("another start or other weights begin a new epoch", () => {
  const { ledger } = account(undefined, TERMS, 2000, [["a", usage(10, 10)]])
  for (const terms of [
    { ...TERMS, start: 1500 },
    { ...TERMS, weights: "other" },
  ]) {
    assert.equal(freshSince(ledger, terms, "a"), terms.start)
    const { ledger: next, amounts } = account(ledger, terms, 3000, [["a", usage(5, 5)]])
    assert.deepEqual([next.since, amounts], [3000, [{ vcpuSeconds: 5, memoryByteSeconds: 10 }]])
  }
})

test("projects may be called like members of every object", () => {
  const { ledger } = account(undefined, TERMS, 2000, [["__proto__", usage(10, 10)]])
  const stored = fromDisk(ledger) as Ledger
  const { amounts } = account(stored, TERMS, 3000, [
    ["__proto__", usage(4, 0)],
    ["constructor", usage(1, 1)],
  ])
  assert.deepEqual(
    amounts.map(({ vcpuSeconds }) => vcpuSeconds),
    [10, 1],
  )
})
