import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { text } from "node:stream/consumers"
import { createLogger } from "#core/log/logger.ts"
import type { Family } from "#core/metrics/exposition.ts"
import { plain } from "./body.ts"
import type { Collected, Collector } from "./collector.ts"
import { type Runner, startRunner } from "./runner.ts"

const X_FAMILY: Family = { name: "x", help: "X.", type: "gauge", samples: [{ labels: {}, value: 1 }] }
const read: Collected = { families: [X_FAMILY] }
const X = "# HELP x X.\n# TYPE x gauge\nx 1\n"

/** A runner over `collect`, with a clock that stands still until the test moves it. */
function runnerOf(
  t: TestContext,
  collect: Collector["collect"],
  options: Omit<Collector, "collect"> & { patience?: number } = {},
) {
  const clock = { seconds: 1000 }
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line))
  const { patience = 5, ...schedule } = options
  const collector = { maxAge: 60, ...schedule, collect }
  const runner = startRunner("test", { ...collector, patience }, { log, now: () => new Date(clock.seconds * 1000) })
  t.after(() => runner.close())
  return { runner, clock, log: () => lines.map((line) => line.replace(/^.* component=test /, "")).join("") }
}

type Exposed = Awaited<ReturnType<Runner["read"]>>
const textOf = async ({ body }: Exposed): Promise<string | undefined> => body && text(plain(body, Buffer.alloc(0)))
const status = ({ status: all }: Exposed): Record<string, number | undefined> =>
  Object.fromEntries(
    all.map(({ name, samples }) => [name.replace("fedstack_exporter_collector_", ""), samples[0]?.value]),
  )

test("the first read waits for the first run", async (t) => {
  const { promise, resolve } = Promise.withResolvers<Collected>()
  const { runner } = runnerOf(t, () => promise, { every: 3600 })
  assert.equal(runner.notReady(), "The first collection is still under way.")
  const reading = runner.read()
  resolve(read)
  assert.equal(await textOf(await reading), X)
  assert.equal(runner.notReady(), undefined)
})

test("a read does not wait for a first run longer than its patience", async (t) => {
  const { promise, resolve } = Promise.withResolvers<Collected>()
  const { runner } = runnerOf(t, () => promise, { every: 3600, patience: 0.01 })
  const exposed = await runner.read()
  resolve(read)
  assert.equal(await textOf(exposed), undefined)
  assert.equal(status(exposed).up, 0)
})

test("runs again in its interval", async (t) => {
  let runs = 0
  const twice = Promise.withResolvers<void>()
  runnerOf(t, () => ((runs += 1) === 2 ? (twice.resolve(), read) : read), { every: 0.01 })
  await twice.promise
})

test("a failed run keeps the last result until its greatest age, and is not up", async (t) => {
  let broken = false
  const collect = () => (broken ? Promise.reject(new Error("the cloud is away")) : Promise.resolve(read))
  const { runner, clock } = runnerOf(t, collect, { every: 3600 })
  await runner.read()
  broken = true
  clock.seconds += 60
  await runner.run()
  const kept = await runner.read()
  assert.equal(await textOf(kept), X)
  const { duration_seconds: _, ...rest } = status(kept)
  assert.deepEqual(rest, { up: 0, missing: 1, last_success_timestamp_seconds: 1000 })

  clock.seconds += 1
  const ended = await runner.read()
  assert.equal(await textOf(ended), undefined)
  assert.equal(status(ended).last_success_timestamp_seconds, 1000)
  assert.equal(runner.notReady(), "No data: test: the cloud is away")
})

test("what took longer than the greatest age to collect is served until the next run can be over", async (t) => {
  const slow = async (): Promise<Collected> => {
    await Promise.resolve() // the clock is there then
    clock.seconds += 100
    return read
  }
  const { runner, clock } = runnerOf(t, slow, { every: 3600 })
  assert.equal(await textOf(await runner.read()), X)
  clock.seconds += 160
  assert.equal(await textOf(await runner.read()), X)
  clock.seconds += 1
  assert.equal(await textOf(await runner.read()), undefined)
})

test("no data is a result, unlike a failure", async (t) => {
  const { runner } = runnerOf(t, () => ({ families: [] }), { every: 3600 })
  const exposed = await runner.read()
  assert.equal(await textOf(exposed), "")
  assert.equal(status(exposed).up, 1)
})

test("a failing first run shows, and a collector that throws at once is a failing one", async (t) => {
  const collect = () => {
    throw new Error("broken")
  }
  const { runner } = runnerOf(t, collect, { every: 3600 })
  const exposed = await runner.read()
  assert.equal(await textOf(exposed), undefined)
  assert.deepEqual(Object.keys(status(exposed)), [
    "up",
    "missing",
    "duration_seconds",
    "last_success_timestamp_seconds",
  ])
  assert.equal(status(exposed).up, 0)
  assert.equal(status(exposed).last_success_timestamp_seconds, undefined)
})

test("concurrent runs are one", async (t) => {
  let runs = 0
  const { promise, resolve } = Promise.withResolvers<Collected>()
  const { runner } = runnerOf(t, () => ((runs += 1), promise))
  const reads = [runner.read(), runner.read(), runner.run()]
  resolve(read)
  await Promise.all(reads)
  assert.equal(runs, 1)
})

test("without an interval every read is a run", async (t) => {
  let runs = 0
  const { runner } = runnerOf(t, () => ((runs += 1), Promise.resolve(read)))
  await runner.read()
  await runner.read()
  assert.equal(runs, 2)
})

test("closing ends the run under way", async (t) => {
  let aborted = false
  const { runner, log } = runnerOf(
    t,
    (signal) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => ((aborted = true), reject(new Error("aborted"))))
      }),
    { every: 3600 },
  )
  await runner.close()
  assert.equal(aborted, true)
  assert.equal(log(), "")
})

const PARTLY: Collected = { ...read, missing: new Map([["b", "is away"]]) }

test("a run with something missing is served as new, is not up, and is no success", async (t) => {
  let collected = read
  const { runner, clock } = runnerOf(t, () => collected, { every: 3600 })
  await runner.read()
  collected = { ...PARTLY, families: [{ ...X_FAMILY, name: "y" }] }
  clock.seconds += 60
  await runner.run()
  const exposed = await runner.read()
  assert.equal(await textOf(exposed), X.replaceAll("x ", "y "))
  const { duration_seconds: _, ...rest } = status(exposed)
  assert.deepEqual(rest, { up: 0, missing: 1, last_success_timestamp_seconds: 1000 })
  assert.equal(runner.notReady(), undefined)
})

test("a collector whose last success is too old to be served is not up, though no run has failed since", async (t) => {
  const hanging = Promise.withResolvers<Collected>()
  const runs = [Promise.resolve(read), hanging.promise]
  const { runner, clock } = runnerOf(t, () => runs.shift() ?? read, { every: 3600 })
  assert.equal(status(await runner.read()).up, 1)
  void runner.run()
  clock.seconds += 61
  const exposed = await runner.read()
  hanging.resolve(read)
  assert.equal(await textOf(exposed), undefined)
  assert.equal(status(exposed).up, 0)
})

for (const [what, collected] of [
  ["nothing to serve", { families: undefined }],
  ["only what is outdated", { ...read, outdated: true }],
] as const) {
  test(`a run with ${what} is not up, though it names nothing that is missing`, async (t) => {
    const { runner, log } = runnerOf(t, () => collected, { every: 3600 })
    const { duration_seconds: _, ...rest } = status(await runner.read())
    assert.deepEqual(rest, { up: 0, missing: 1, last_success_timestamp_seconds: undefined })
    assert.equal(log(), 'msg="cannot be read" what=test reason="nothing was read"\n')
  })
}

test("without anything to serve the last result stays, and what is missing is the reason", async (t) => {
  let collected = read
  const { runner, clock } = runnerOf(t, () => collected, { every: 3600 })
  await runner.read()
  collected = { families: undefined, missing: new Map([["b", "is away"]]) }
  await runner.run()
  assert.equal(await textOf(await runner.read()), X)
  assert.equal(status(await runner.read()).up, 0)
  clock.seconds += 61
  assert.equal(runner.notReady(), "No data: b: is away")
})

test("an outdated result keeps the age of the last one", async (t) => {
  let collected = read
  const { runner, clock } = runnerOf(t, () => collected, { every: 3600 })
  await runner.read()
  collected = { families: [{ ...X_FAMILY, name: "y" }], missing: new Map([["b", "is away"]]), outdated: true }
  clock.seconds += 60
  await runner.run()
  const exposed = await runner.read()
  assert.equal(await textOf(exposed), X.replaceAll("x ", "y "))
  assert.equal(status(exposed).last_success_timestamp_seconds, 1000)
  clock.seconds += 1
  assert.equal(await textOf(await runner.read()), undefined)
})

test("what cannot be read is logged once, until its reason changes or it is no longer missing", async (t) => {
  const missing = [{ a: "is away" }, { a: "is away", b: "refuses" }, { a: "refuses", b: "refuses" }, {}]
  const { runner, log } = runnerOf(t, () => ({ ...read, missing: new Map(Object.entries(missing.shift() ?? {})) }))
  for (const _ of [1, 2, 3, 4, 5]) await runner.run()
  assert.equal(
    log(),
    `msg="cannot be read" what=a reason="is away"
msg="cannot be read" what=b reason=refuses
msg="cannot be read" what=a reason=refuses
msg="no longer missing" what=a
msg="no longer missing" what=b
`,
  )
})

test("families that cannot be made are a failure like any other", async (t) => {
  const families: Iterable<Family> = {
    [Symbol.iterator]() {
      throw new Error("broken")
    },
  }
  const { runner, log } = runnerOf(t, () => ({ ...PARTLY, families }), { every: 3600 })
  assert.equal(status(await runner.read()).up, 0)
  assert.equal(runner.notReady(), "No data: test: broken")
  assert.equal(log(), 'msg="cannot be read" what=test reason=broken\n')
})
