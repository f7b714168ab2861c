import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { text } from "node:stream/consumers"
import { pino } from "pino"
import type { Family } from "#core/metrics/exposition.ts"
import { plain } from "./body.ts"
import { SomeFailed } from "./collector.ts"
import { startRunner, type Exposed, type Runner, type RunnerOptions } from "./runner.ts"

const families: readonly Family[] = [{ name: "x", help: "X.", type: "gauge", samples: [{ labels: {}, value: 1 }] }]
const X = "# HELP x X.\n# TYPE x gauge\nx 1\n"

/** A runner over `collect`, with a clock that stands still until the test moves it. */
function runnerOf(t: TestContext, collect: () => Promise<readonly Family[]>, options: Partial<RunnerOptions> = {}) {
  const clock = { seconds: 1000 }
  const all = { maxAge: 60, patience: 5, log: pino({ level: "silent" }), now: () => new Date(clock.seconds * 1000) }
  const runner: Runner = startRunner({ name: "test", collect }, { ...all, ...options })
  t.after(() => runner.close())
  return { runner, clock }
}

const textOf = async ({ body }: Exposed): Promise<string | undefined> => body && text(plain(body, Buffer.alloc(0)))
const status = ({ status: all }: Exposed): Record<string, number | undefined> =>
  Object.fromEntries(
    all.map(({ name, samples }) => [name.replace("fedstack_exporter_collector_", ""), samples[0]?.value]),
  )

test("the first read waits for the first run", async (t) => {
  const { promise, resolve } = Promise.withResolvers<readonly Family[]>()
  const { runner } = runnerOf(t, () => promise, { every: 3600 })
  assert.equal(runner.notReady(), "The first update is still under way.")
  const reading = runner.read()
  resolve(families)
  assert.equal(await textOf(await reading), X)
  assert.equal(runner.notReady(), undefined)
})

test("a read does not wait for a first run longer than its patience", async (t) => {
  const { promise, resolve } = Promise.withResolvers<readonly Family[]>()
  const { runner } = runnerOf(t, () => promise, { every: 3600, patience: 0.01 })
  const exposed = await runner.read()
  resolve(families)
  assert.equal(await textOf(exposed), undefined)
  assert.equal(status(exposed).up, 0)
})

test("runs again in its interval", async (t) => {
  let runs = 0
  const twice = Promise.withResolvers<void>()
  runnerOf(t, () => Promise.resolve((runs += 1) === 2 ? (twice.resolve(), families) : families), { every: 0.01 })
  await twice.promise
})

test("a failed run keeps the last result until its greatest age, and says so", async (t) => {
  let broken = false
  const collect = () => (broken ? Promise.reject(new Error("the cloud is away")) : Promise.resolve(families))
  const { runner, clock } = runnerOf(t, collect, { every: 3600 })
  await runner.read()
  broken = true
  clock.seconds += 60
  await runner.run()
  const kept = await runner.read()
  assert.equal(await textOf(kept), X)
  const { duration_seconds: _, ...rest } = status(kept)
  assert.deepEqual(rest, { up: 0, last_success_timestamp_seconds: 1000, age_seconds: 60 })

  clock.seconds += 1
  const ended = await runner.read()
  assert.equal(await textOf(ended), undefined)
  assert.equal(status(ended).age_seconds, 61)
  assert.equal(runner.notReady(), "No data: the cloud is away")
})

test("what took longer than the greatest age to collect is served until the next run can be over", async (t) => {
  const slow = async (): Promise<readonly Family[]> => {
    await Promise.resolve() // the clock is there then
    clock.seconds += 100
    return families
  }
  const { runner, clock } = runnerOf(t, slow, { every: 3600 })
  assert.equal(await textOf(await runner.read()), X)
  clock.seconds += 160
  assert.equal(await textOf(await runner.read()), X)
  clock.seconds += 1
  assert.equal(await textOf(await runner.read()), undefined)
})

test("no data is a result, unlike a failure", async (t) => {
  const { runner } = runnerOf(t, () => Promise.resolve([]), { every: 3600 })
  const exposed = await runner.read()
  assert.equal(await textOf(exposed), "")
  assert.equal(status(exposed).up, 1)
})

test("a failing first run is told, and a collector that throws at once is a failing one", async (t) => {
  const collect = () => {
    throw new Error("broken")
  }
  const { runner } = runnerOf(t, collect, { every: 3600 })
  const exposed = await runner.read()
  assert.equal(await textOf(exposed), undefined)
  assert.deepEqual(Object.keys(status(exposed)), [
    "up",
    "duration_seconds",
    "last_success_timestamp_seconds",
    "age_seconds",
  ])
  assert.equal(status(exposed).up, 0)
  assert.equal(status(exposed).age_seconds, undefined)
})

test("concurrent runs are one", async (t) => {
  let runs = 0
  const { promise, resolve } = Promise.withResolvers<readonly Family[]>()
  const { runner } = runnerOf(t, () => ((runs += 1), promise))
  const reads = [runner.read(), runner.read(), runner.run()]
  resolve(families)
  await Promise.all(reads)
  assert.equal(runs, 1)
})

test("without an interval every read is a run", async (t) => {
  let runs = 0
  const { runner } = runnerOf(t, () => ((runs += 1), Promise.resolve(families)))
  await runner.read()
  await runner.read()
  assert.equal(runs, 2)
})

test("closing ends the run under way", async (t) => {
  let aborted = false
  const runner = startRunner(
    {
      name: "test",
      collect: (signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => ((aborted = true), reject(new Error("aborted"))))
        }),
    },
    { every: 3600, maxAge: 60, patience: 5, log: pino({ level: "silent" }), now: () => new Date() },
  )
  t.after(() => runner.close())
  await runner.close()
  assert.equal(aborted, true)
})

test("a run of which a part failed is served, and says so", async (t) => {
  const collect = () => Promise.reject(new SomeFailed("one of two is away", families, { anyRead: true }))
  const { runner } = runnerOf(t, collect, { every: 3600 })
  const exposed = await runner.read()
  assert.equal(await textOf(exposed), X)
  assert.equal(status(exposed).up, 0)
  assert.equal(runner.notReady(), undefined)
})

test("what can't be made of the parts that were read is a failure like any other", async (t) => {
  const broken: Iterable<Family> = {
    [Symbol.iterator]() {
      throw new Error("broken")
    },
  }
  const { runner } = runnerOf(
    t,
    () => Promise.reject(new SomeFailed("one of two is away", broken, { anyRead: true })),
    { every: 3600 },
  )
  assert.equal(status(await runner.read()).up, 0)
  assert.equal(runner.notReady(), "No data: broken")
})
