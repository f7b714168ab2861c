import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { execFile } from "node:child_process"
import { setImmediate as turn } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { promisify } from "node:util"
import fc from "fast-check"
import { createLogger } from "#core/log/logger.ts"
import { parseSelector } from "./parse.ts"
import type { Selector } from "./selector.ts"
import { createWorkBudget } from "#core/limits/client-limits.ts"
import { type DeciderTimes, openDecider } from "./decider.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { need } from "../../dev/testing/component.ts"
import { runWithThreadLimit } from "../../dev/testing/thread-limit.ts"
import { createCompiler, judge } from "./judge.ts"
import { principalOf } from "./testing.ts"

const label = (name: string): Selector => [{ label: name, op: "=", value: "" }]

/** Does what the label of a selector says. */
const SOURCE = `
    import { parentPort } from "node:worker_threads"
    parentPort.postMessage("ready")
    parentPort.on("message", ({ selector: [{ label }] }) => {
      if (label === "hang") for (;;);
      if (label === "throw") throw new Error("as requested")
      if (label === "grow") for (const all = []; ; ) all.push(Array(10000).fill(1.5))
      if (label === "late") Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
      parentPort.postMessage({ verdict: label, seconds: label === "dear" ? 0.1 : 0.001 })
    })`
const OBEDIENT = new URL(`data:text/javascript,${encodeURIComponent(SOURCE)}`)

/** Nothing takes too long, on a machine with much other work neither. */
const PATIENT: DeciderTimes = { deadline: 60_000, idle: 60_000 }

function open(t: TestContext, thread?: URL, times = PATIENT) {
  let time = 0
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "proxy", (line) => lines.push(line))
  const budget = createWorkBudget(() => time)
  const decider = openDecider(budget, log, times, thread)
  t.after(() => decider.close())
  return { ...decider, budget, lines, move: (milliseconds: number): number => (time += milliseconds) }
}

test("decides as is decided without a thread", async (t) => {
  const decider = open(t)
  const matcher = fc
    .tuple(
      fc.constantFrom("x", "y"),
      fc.constantFrom("=", "!=", "=~", "!~"),
      fc.constantFrom("a", "", "a.*", ".+", "("),
    )
    .map(([name, op, value]) => `${name}${op}"${value}"`)
  const selector = fc.array(matcher, { minLength: 1, maxLength: 3 }).map((all) => `{${all.join(",")}}`)
  await fc.assert(
    fc.asyncProperty(
      fc.array(selector, { maxLength: 3 }),
      selector,
      fc.boolean(),
      async (match, requested, enforce) => {
        const client = principalOf("portal", match, enforce)
        const parsed = parseSelector(requested)
        assert.equal(await decider.judge(client, parsed), judge(client, parsed, createCompiler()))
        decider.move(3_600_000) // none of this is to be too much
      },
    ),
  )
})

test("a client pays for the work of deciding, and not for a thread that starts or has to wait", async (t) => {
  const { judge: decide, budget } = open(t, OBEDIENT)
  budget.spend("portal", 1.95)
  await decide(principalOf("portal"), label("late"))
  assert.equal(budget.wait("portal"), 0)
  await decide(principalOf("portal"), label("dear"))
  assert.ok(budget.wait("portal") > 0)
})

/** How many lists of shared selectors it received, and how many selectors are in the last. */
const COUNTING = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from "node:worker_threads"
    parentPort.postMessage("ready")
    let lists = 0
    let last = 0
    parentPort.on("message", ({ shared, selector: [{ label }] }) => {
      if (shared !== undefined) [lists, last] = [lists + 1, shared.length]
      if (label === "throw") throw new Error("as requested")
      parentPort.postMessage({ verdict: lists + " " + last, seconds: 0 })
    })`)}`,
)

test("sends a thread the selectors of a client once, however many requests it judges, and those of another again", async (t) => {
  const { judge: decide } = open(t, COUNTING)
  const [one, other] = [principalOf("a", ['{x="1"}', '{x="2"}']), principalOf("b", ['{x="1"}'])]
  assert.equal(await decide(one, label("x")), "1 2")
  assert.equal(await decide({ ...one }, label("y")), "1 2")
  assert.equal(await decide(other, label("x")), "2 1")
  assert.equal(await decide(one, label("x")), "3 2")
  await assert.rejects(decide(one, label("throw")), { code: "TOO_MUCH_TO_DECIDE" })
  assert.equal(await decide(one, label("x")), "1 2")
})

test("lets clients take turns", async (t) => {
  const { judge: decide } = open(t, OBEDIENT)
  const order: unknown[] = []
  const requested = [
    ["a", "a1"],
    ["a", "a2"],
    ["a", "a3"],
    ["b", "b1"],
    ["c", "c1"],
    ["b", "b2"],
  ].map(async ([name = "", selector = ""]) => order.push(await decide(principalOf(name), label(selector))))
  await Promise.all(requested)
  assert.deepEqual(order, ["a1", "a2", "b1", "c1", "a3", "b2"])
})

const ABANDONED: readonly (readonly [label: string, what: string, reason: RegExp])[] = [
  ["hang", "takes too long", /it took more than 1 s/],
  ["throw", "fails", /its thread ended: as requested/],
  ["grow", "takes too much memory", /its thread ended: .*memory/],
]
for (const [selector, what, reason] of ABANDONED) {
  test(`refuses a selector whose decision ${what}, and decides the next in a new thread`, async (t) => {
    const times = { ...PATIENT }
    const decider = open(t, OBEDIENT, times)
    const judgeNext = () => decider.judge(principalOf("b"), label("next"))
    assert.equal(await judgeNext(), "next") // the thread runs: its start is no part of the decision
    if (selector === "hang") times.deadline = 1000
    const [hard, next] = [decider.judge(principalOf("a"), label(selector)), judgeNext().catch(() => undefined)]
    await assert.rejects(hard, { code: "TOO_MUCH_TO_DECIDE" })
    times.deadline = PATIENT.deadline
    assert.equal((await next) ?? (await judgeNext()), "next")
    assert.match(decider.lines.join(""), reason)
  })
}

const UNABLE: readonly (readonly [what: string, thread: URL, reason: RegExp])[] = [
  ["be created", new URL("https://example.org/no-thread"), /reason="The URL must be of scheme file"/],
  ["be loaded", new URL("./no-such-thread.ts", import.meta.url), /reason="Cannot find module/],
  ["say that it runs", new URL("data:text/javascript,process.exit()"), /reason="exit code 0"/],
]
for (const [what, thread, reason] of UNABLE) {
  test(`refuses all that waits for a thread that cannot ${what}, costs no client anything, and logs it once`, async (t) => {
    const decider = open(t, thread)
    for (const round of [1, 2]) {
      const requested = ["a", "b", "a"].map((name) => decider.judge(principalOf(name), label("a")))
      for (const refused of requested) await assert.rejects(refused, { code: "CANNOT_DECIDE", status: 503 })
      assert.ok(decider.failures() >= round)
    }
    assert.deepEqual([decider.budget.wait("a"), decider.lines.length], [0, 1])
    assert.match(decider.lines.join(""), reason)
  })
}

test("costs no client anything where the thread that follows one which ended cannot be loaded", async (t) => {
  const { write } = temporaryFolder(t)
  const decider = open(t, pathToFileURL(await write("thread.mjs", SOURCE)))
  await assert.rejects(decider.judge(principalOf("a"), label("throw")), { code: "TOO_MUCH_TO_DECIDE" })
  await write("thread.mjs", "throw new Error('no memory')")
  await assert.rejects(decider.judge(principalOf("b"), label("next")), { code: "CANNOT_DECIDE" })
  await write("thread.mjs", SOURCE)
  assert.equal(await decider.judge(principalOf("b"), label("next")), "next")
})

test("goes on without any thread, and decides again as soon as the process may have one", async (t) => {
  const file = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
  const found = await runWithThreadLimit(`
    import { openDecider } from ${file("decider.ts")}
    import { createWorkBudget } from ${file("../limits/client-limits.ts")}
    const log = (_, message) => console.log(message)
    const decider = openDecider(createWorkBudget(() => 0), { info: log, warn: log, error: log })
    const client = { name: "a", shared: [], enforce: false }
    const judge = () => decider.judge(client, [{ label: "x", op: "=", value: "y" }]).catch(({ code }) => code)
    const keep = setInterval(() => {}, 60_000)
    await allowThreads(false)
    console.log(await judge(), ...await Promise.all([judge(), judge()]))
    await allowThreads(true)
    console.log(await judge())
    clearInterval(keep)
    process.disconnect()
    await decider.close()`)
  const output = need(t, found)
  if (output === undefined) return
  assert.deepEqual(output.trimEnd().split("\n"), [
    "the thread that decides cannot be started, refusing selectors that need it",
    "CANNOT_DECIDE CANNOT_DECIDE CANNOT_DECIDE",
    "the thread that decides is started again",
    "nothing is shared",
  ])
})

test("ignores the verdict of an abandoned thread that comes while the next selector is judged", async (t) => {
  const deadline = 300
  const times = { ...PATIENT }
  const decider = open(t, OBEDIENT, times)
  const judgeNext = () => decider.judge(principalOf("b"), label("next"))
  assert.equal(await judgeNext(), "next") // the thread runs: its start is no part of the decision
  times.deadline = deadline
  await turn() // its port goes on with messages that come while one is handled
  const [late, next] = [decider.judge(principalOf("a"), label("late")), decider.judge(principalOf("b"), label("next"))]
  const refused = assert.rejects(late, { code: "TOO_MUCH_TO_DECIDE" })
  // the verdict comes while this thread is busy, and so does the end of the time for it, which is noticed first
  const end = performance.now() + 2 * deadline
  while (performance.now() < end);
  await refused
  times.deadline = PATIENT.deadline
  assert.equal((await next.catch(() => undefined)) ?? (await judgeNext()), "next")
})

test("refuses what a client requests beyond its budget, also what waits already, and nothing of others", async (t) => {
  const decider = open(t, OBEDIENT)
  const first = decider.judge(principalOf("a"), label("a1"))
  const second = decider.judge(principalOf("a"), label("a2"))
  decider.budget.spend("a", 10)
  assert.equal(await first, "a1")
  await assert.rejects(second, { code: "TOO_MUCH_TO_DECIDE" })
  await assert.rejects(decider.judge(principalOf("a"), label("a3")), { code: "TOO_MUCH_TO_DECIDE" })
  assert.equal(await decider.judge(principalOf("b"), label("b1")), "b1")
})

test("bounds the selectors of one client that wait, and not those of others", async (t) => {
  const { judge: decide } = open(t, OBEDIENT)
  const many = Array.from({ length: 70 }, (_, index) =>
    decide(principalOf("a"), label(`a${index}`)).then(
      () => "decided",
      () => "refused",
    ),
  )
  assert.equal(await decide(principalOf("b"), label("b")), "b")
  assert.equal((await Promise.all(many)).filter((result) => result === "refused").length, 5)
})

test("refuses what is left when it is closed", async (t) => {
  const decider = open(t, OBEDIENT)
  const left = ["hang", "next"].map((selector) => decider.judge(principalOf("a"), label(selector)))
  const refused = left.map((one) => assert.rejects(one, { code: "TOO_MUCH_TO_DECIDE" }))
  await decider.close()
  await Promise.all(refused)
})

test("keeps no process alive, neither while it judges nor when it is idle", async () => {
  const file = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href)
  const script = `
    import { openDecider } from ${file("decider.ts")}
    import { createWorkBudget } from ${file("../limits/client-limits.ts")}
    const decider = openDecider(createWorkBudget(() => 0), console, undefined, new URL(${JSON.stringify(OBEDIENT.href)}))
    const client = { name: "a", shared: [], enforce: false }
    const keep = setTimeout(() => {}, 60_000)
    console.log(await decider.judge(client, [{ label: "answered" }]))
    clearTimeout(keep)
    void decider.judge(client, [{ label: "hang" }])`
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], {
    timeout: 60_000,
  })
  assert.equal(stdout, "answered\n")
})
