import assert from "node:assert/strict"
import { mkdir, readdir, rmdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { start } from "../../dev/testing/child.ts"
import { until } from "../../dev/testing/until.ts"
import { lockFolder } from "./folder-lock.ts"
import { scratch } from "./testing.ts"

function lock(t: TestContext, folder: string, lines: string[] = []) {
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line))
  const locked = lockFolder(folder, log)
  t.after(() => locked.close())
  return locked
}

const locked = (folder: string) => ({
  code: "FOLDER_LOCKED",
  message: `Another fedstack portal is running that writes to ${folder}. End that one, or give this one a folder of its own with --prometheus.config-dir.`,
})

test("a folder is locked by one at a time, whose first acquire is true", async (t) => {
  const folder = await scratch(t)
  const [first, second] = [lock(t, folder), lock(t, folder)]
  assert.equal(await first.acquire(), true)
  assert.equal(await first.acquire(), false)
  await assert.rejects(second.acquire(), locked(folder))
  await assert.rejects(second.acquire(), locked(folder))
  await first.close()
  assert.deepEqual(await readdir(folder), [])
  assert.equal(await second.acquire(), true)
})

test("of many that begin at the same time one locks it", async (t) => {
  const folder = await scratch(t)
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lock(t, folder).acquire()))
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1)
})

/** What a process leaves that was killed while the folder was its own. */
async function leaveStale(folder: string): Promise<void> {
  const code = `require("node:net").createServer().listen(process.argv[1], () => console.log("listening"))`
  const child = start(process.execPath, ["--eval", code, join(folder, "portal.sock")])
  await until("it to listen", () => (child.output().includes("listening") ? true : undefined))
  await child.stop("SIGKILL")
  assert.deepEqual(await readdir(folder), ["portal.sock"])
}

test("the socket of a killed process is replaced", async (t) => {
  const folder = await scratch(t)
  await leaveStale(folder)
  assert.equal(await lock(t, folder).acquire(), true)
  await assert.rejects(lock(t, folder).acquire(), locked(folder))
})

test("of many that find the socket of a killed process one locks the folder", async (t) => {
  const folder = await scratch(t)
  await leaveStale(folder)
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lock(t, folder).acquire()))
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1)
})

test("a file in place of the socket is replaced", async (t) => {
  const folder = await scratch(t)
  await writeFile(join(folder, "portal.sock"), "")
  assert.equal(await lock(t, folder).acquire(), true)
})

test("where there could be no socket at first, there is one later", async (t) => {
  const folder = await scratch(t)
  await mkdir(join(folder, "portal.sock"))
  const first = lock(t, folder)
  assert.equal(await first.acquire(), true)
  await rmdir(join(folder, "portal.sock"))
  assert.equal(await first.acquire(), false)
  await assert.rejects(lock(t, folder).acquire(), locked(folder))
})

test("where there can be no socket the folder is acquired all the same, which is logged once", async (t) => {
  const folder = join(await scratch(t), "long".repeat(30))
  await mkdir(folder)
  const lines: string[] = []
  const first = lock(t, folder, lines)
  assert.deepEqual([await first.acquire(), await first.acquire(), await lock(t, folder).acquire()], [true, false, true])
  assert.equal(lines.length, 1)
  assert.match(
    lines.join(""),
    /level=info component=portal msg="another portal that writes here would not be noticed" folder=\S+ reason="listen EINVAL/,
  )
})
