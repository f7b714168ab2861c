import assert from "node:assert/strict"
import { test } from "node:test"
import { hasRoom, planStart } from "./machine.ts"

const GIB = 2 ** 30
const machine = { cpus: 2, availableMemory: 22 * GIB }

test("two sites start without a warning, with a scrape every second", () => {
  assert.deepEqual(planStart(2, false, machine), { workers: 2, interval: 1, warnings: [] })
})

test("many sites are scraped less often, and how long the start takes is said before", () => {
  assert.deepEqual(planStart(30, false, machine), {
    workers: 2,
    interval: 8,
    warnings: ["30 sites on 2 CPUs: starting them takes about 2 min, and scrapes are every 8 s"],
  })
  assert.equal(planStart(30, false, { ...machine, cpus: 8 }).interval, 1)
})

test("more sites than memory allows are refused, with the number that it allows", () => {
  assert.throws(() => planStart(1000, false, machine), {
    name: "UsageError",
    message:
      "--sites: 1000 sites need about 225.4 GiB of memory, and 22.0 GiB is available: start at most 94, or set --force",
  })
  assert.throws(() => planStart(1, false, { cpus: 1, availableMemory: GIB / 4 }), {
    message: "--sites: 1 site needs about 1.0 GiB of memory, and 0.3 GiB is available: start at most 0, or set --force",
  })
  assert.equal(planStart(94, false, machine).warnings.length, 1)
})

test("forced, more sites than memory allows start with a warning", () => {
  const { interval, warnings } = planStart(1000, true, machine)
  assert.deepEqual(
    [interval, warnings],
    [
      30,
      [
        "1000 sites need about 225.4 GiB of memory, and 22.0 GiB is available: the machine may come to a stand",
        "1000 sites on 2 CPUs: starting them takes about 42 min, and scrapes are every 30 s",
      ],
    ],
  )
})

test("there is room for one more site until memory is nearly used up", () => {
  assert.deepEqual(
    [GIB, GIB / 2].map((availableMemory) => hasRoom({ availableMemory })),
    [true, false],
  )
})
