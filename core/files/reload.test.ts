import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { setImmediate as nextTurn } from "node:timers/promises"
import { Registry } from "prom-client"
import { ConfigurationError, UsageError } from "#core/errors.ts"
import { reloadOnChange, type ReloadOptions } from "./reload.ts"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { writeTo } from "../../dev/testing/pipe.ts"
import { until } from "../../dev/testing/until.ts"

interface Greeting {
  readonly text: string
}

/** `greeting` names a file in its folder; what stands there is the configuration, and "bad" is a fault. */
async function start(t: TestContext, change: Partial<ReloadOptions<Greeting>> = {}) {
  const folder = temporaryFolder(t)
  await folder.write("greeting", "first")
  await folder.write("first", "hello")
  await folder.write("sub/next", "sub/second")
  await folder.write("sub/second", "good day")
  const applied: string[] = []
  const lines: string[] = []
  const registry = new Registry()
  const options: ReloadOptions<Greeting> = {
    config: "greeting",
    load(read) {
      const name = read(join(folder.path, "greeting"))
      const text = read(join(folder.path, name), "greeting:1")
      if (text === "bad") throw new ConfigurationError(["one", "two"].map((message) => ({ where: name, message })))
      return { text }
    },
    apply: ({ text }) => void applied.push(text),
    summary: ({ text }) => ({ length: text.length }),
    log: createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line)),
    registry,
    ...change,
  }
  const reloading = await reloadOnChange(options)
  t.after(() => reloading.close())
  return {
    folder,
    reloading,
    applied,
    become: (text: string, seconds = 5) =>
      until(text, () => (reloading.current().text === text ? true : undefined), seconds),
    log: () => lines.map((line) => line.replace(/^ts=\S+ /, "").replaceAll(`${folder.path}/`, "")),
    metrics: async () => (await registry.metrics()).replaceAll(/^# .*\n/gm, "").replaceAll(/ 1\d{9}\.?\d*$/gm, " TIME"),
  }
}

const metricsOf = (successful: number): string =>
  `fedstack_config_last_reload_successful{config="greeting"} ${successful}

fedstack_config_last_reload_success_timestamp_seconds{config="greeting"} TIME
`

test("loads at the start and after a change of any file, applies, logs and counts it", async (t) => {
  const { folder, become, applied, log, metrics } = await start(t)
  assert.equal(await metrics(), metricsOf(1))
  await folder.write("first", "hi")
  await become("hi")
  await folder.write("second", "good day")
  await folder.write("greeting", "second")
  await become("good day")
  await folder.write("second", "good night")
  await become("good night")
  assert.deepEqual(applied, ["hello", "hi", "good day", "good night"])
  assert.deepEqual(log(), [
    'level=info component=test msg="greeting loaded" length=5\n',
    'level=info component=test msg="greeting reloaded" length=2\n',
    'level=info component=test msg="greeting reloaded" length=8\n',
    'level=info component=test msg="greeting reloaded" length=10\n',
  ])
})

test("keeps the previous one while there are faults, logs every one and shows it", async (t) => {
  const { folder, reloading, become, applied, log, metrics } = await start(t)
  await folder.write("first", "bad")
  await reloading.reload()
  assert.equal(reloading.current().text, "hello")
  assert.equal(await metrics(), metricsOf(0))
  assert.deepEqual(log().slice(1), [
    'level=error component=test msg="greeting reload failed, keeping the previous one" faults=2\n',
    'level=error component=test msg="first: one"\n',
    'level=error component=test msg="first: two"\n',
  ])
  await folder.write("first", "hi")
  await become("hi")
  assert.equal(await metrics(), metricsOf(1))
  assert.deepEqual(applied, ["hello", "hi"])
})

test("keeps the previous one where a file was emptied, until something stands there again", async (t) => {
  const { folder, reloading, become, applied, log, metrics } = await start(t)
  await folder.write("first", "")
  await reloading.reload()
  assert.equal(reloading.current().text, "hello")
  assert.equal(await metrics(), metricsOf(0))
  assert.deepEqual(log().slice(-2), [
    'level=error component=test msg="greeting reload failed, keeping the previous one" faults=1\n',
    'level=error component=test msg="first: was emptied, as by a write that failed; if nothing is to be set any more, let it hold a comment"\n',
  ])
  await folder.write("first", "# nothing")
  await become("# nothing")
  assert.deepEqual(applied, ["hello", "# nothing"])
})

test("takes a file that is empty from the beginning, and says nothing when it stays so", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("empty", "")
  const { reloading, applied } = await start(t, { load: (read) => ({ text: read(file) }) })
  await reloading.reload()
  assert.deepEqual(applied, ["", ""])
})

test("takes what a pipe gives, which is read once, and logs that it is not read again", async (t) => {
  const pipe = join(temporaryFolder(t).path, "pipe")
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0)
  const { written } = await writeTo(t, pipe, "printf hello")
  const { reloading, applied, log } = await start(t, { load: (read) => ({ text: read(pipe) }) })
  await written
  await reloading.reload()
  assert.deepEqual(applied, ["hello", "hello"])
  assert.deepEqual(
    log().map((line) => line.replace(pipe, "PIPE")),
    [
      'level=info component=test msg="greeting loaded" length=5\n',
      'level=info component=test msg="greeting comes from pipes: they are read once, never again" files=PIPE\n',
      'level=info component=test msg="greeting reloaded" length=5\n',
    ],
  )
})

test("does not wait for a pipe that a reload names first", { timeout: 5000 }, async (t) => {
  const { folder, reloading, log } = await start(t)
  assert.equal(spawnSync("mkfifo", [join(folder.path, "pipe")]).status, 0)
  await folder.write("greeting", "pipe")
  await reloading.reload()
  assert.match(log().at(-1) ?? "", /greeting:1: the file pipe cannot be read: it is a pipe, not a file/)
})

test("watches files that only a faulty load named: one that was missing may come", async (t) => {
  const { folder, reloading, become, log } = await start(t)
  await folder.write("greeting", "later")
  await reloading.reload()
  assert.match(log().at(-1) ?? "", /greeting:1: the file later cannot be read: ENOENT: no such file or directory/)
  await rename(await folder.write("next", "at last"), join(folder.path, "later"))
  await become("at last")
})

test("a file in a folder that a reload named first is watched at once, without the poll", async (t) => {
  const { folder, become } = await start(t)
  await rename(join(folder.path, "sub/next"), join(folder.path, "greeting"))
  await become("good day")
  await folder.write("sub/second", "good night")
  await become("good night", 3)
})

test("a fault that is no fault of a file is logged with its causes", async (t) => {
  let broken = false
  const { reloading, log } = await start(t, {
    load() {
      if (broken) throw new Error("outer", { cause: new Error("inner") })
      return { text: "" }
    },
  })
  broken = true
  await reloading.reload()
  assert.match(log().at(-1) ?? "", /level=error .*msg="greeting: outer: inner"\n/)
})

test("faults at the start are thrown", async (t) => {
  await assert.rejects(start(t, { load: (read) => ({ text: read("/nowhere/a") }) }), {
    name: "ConfigurationError",
    message: "/nowhere/a: cannot be read: ENOENT: no such file or directory",
  })
  const fault = new UsageError([{ where: "--flag", message: "is wrong" }])
  await assert.rejects(start(t, { load: () => Promise.reject(fault) }), (error) => error === fault)
})

test("begins with what an earlier process applied where there are faults, logs and shows them, and follows the files", async (t) => {
  const file = await temporaryFolder(t).write("a", "bad")
  const { become, applied, log, metrics } = await start(t, {
    load(read) {
      const text = read(file)
      if (text === "bad") throw new ConfigurationError([{ where: "a:1", message: "bad" }])
      return { text }
    },
    fallback: { load: () => ({ text: "earlier" }), consequence: "starting with the last accepted one" },
  })
  assert.equal(await metrics(), `fedstack_config_last_reload_successful{config="greeting"} 0\n\n`)
  assert.deepEqual(log(), [
    'level=error component=test msg="greeting load failed, starting with the last accepted one" faults=1\n',
    'level=error component=test msg="a:1: bad"\n',
  ])
  await writeFile(file, "good")
  await become("good")
  assert.deepEqual(applied, ["earlier", "good"])
  assert.equal(await metrics(), metricsOf(1))
})

test("faults at the start are thrown where nothing is known of an earlier process", async (t) => {
  const fallback = { load: () => undefined, consequence: "starting with the last accepted one" }
  await assert.rejects(start(t, { load: (read) => ({ text: read("/nowhere/a") }), fallback }), {
    message: "/nowhere/a: cannot be read: ENOENT: no such file or directory",
  })
})

test("does not begin with a file that became faulty while it began, and applies nothing then", async (t) => {
  const file = await temporaryFolder(t).write("a", "good")
  let loads = 0
  let applied = 0
  const starting = start(t, {
    async load(read) {
      const text = read(file)
      if (loads++ === 0) await writeFile(file, "bad")
      if (text === "bad") throw new ConfigurationError([{ where: file, message: "bad" }])
      return { text }
    },
    apply: () => void (applied += 1),
  })
  await assert.rejects(starting, ConfigurationError)
  assert.equal(applied, 0)
})

test("a slow load never replaces one that began later, and they run one after the other", async (t) => {
  const { promise: slow, resolve } = Promise.withResolvers<void>()
  let count = 0
  let running = 0
  const { reloading, applied } = await start(t, {
    async load() {
      const text = `load ${count++}`
      assert.equal(++running, 1)
      if (count === 2) await slow
      running -= 1
      return { text }
    },
  })
  const reloads = [reloading.reload(), reloading.reload()]
  await nextTurn()
  resolve()
  await Promise.all(reloads)
  assert.deepEqual(applied, ["load 0", "load 1", "load 2"])
})

test("keeps the previous one where the next cannot be applied, and applies the one after it", async (t) => {
  const previous: (string | undefined)[] = []
  const { folder, reloading, become, log, metrics } = await start(t, {
    async apply({ text }, before) {
      previous.push(before?.text)
      await nextTurn()
      if (text === "sour") throw new Error("cannot be applied")
    },
  })
  await folder.write("first", "sour")
  await reloading.reload()
  assert.equal(reloading.current().text, "hello")
  assert.equal(await metrics(), metricsOf(0))
  assert.deepEqual(log().slice(-2), [
    'level=error component=test msg="greeting reload failed, keeping the previous one" faults=1\n',
    'level=error component=test msg="greeting: cannot be applied"\n',
  ])
  await folder.write("first", "hi")
  await become("hi")
  await reloading.reload()
  assert.equal(await metrics(), metricsOf(1))
  assert.deepEqual([...new Set(previous)], [undefined, "hello", "hi"])
})

test("what may not take the place of the one in force is refused by the load", async (t) => {
  const { folder, reloading, log } = await start(t, {
    load(_, inForce) {
      const text = inForce === undefined ? "one" : "two"
      if (inForce !== undefined) throw new ConfigurationError([{ where: "a", message: `${inForce.text} stays` }])
      return { text }
    },
  })
  await folder.write("first", "x")
  await reloading.reload()
  assert.match(log().at(-1) ?? "", /a: one stays/)
  assert.equal(reloading.current().text, "one")
})

test("after close nothing is loaded any more, and close waits for what is under way", async (t) => {
  const { promise: slow, resolve } = Promise.withResolvers<void>()
  let count = 0
  const { reloading, applied } = await start(t, {
    async load() {
      if (count++ > 0) await slow
      return { text: String(count) }
    },
  })
  void reloading.reload()
  await nextTurn()
  const closing = reloading.close()
  void reloading.reload()
  resolve()
  await closing
  await nextTurn()
  assert.deepEqual(applied, ["1", "2"])
})

test("configurations of one process share the metrics, and listeners keep theirs apart", async (t) => {
  const registry = new Registry()
  const shared = { registry, load: () => ({ text: "" }) }
  await start(t, { ...shared, config: "web", listener: ":8000" })
  await start(t, { ...shared, config: "web", listener: ":8001" })
  await start(t, { ...shared, config: "policy" })
  assert.deepEqual((await registry.metrics()).match(/^\w+_successful.*$/gm), [
    'fedstack_config_last_reload_successful{config="web",listener=":8000"} 1',
    'fedstack_config_last_reload_successful{config="web",listener=":8001"} 1',
    'fedstack_config_last_reload_successful{config="policy"} 1',
  ])
})
