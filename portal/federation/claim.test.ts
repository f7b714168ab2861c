import assert from "node:assert/strict"
import { mkdir, readdir, rmdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { start } from "../../dev/testing/child.ts"
import { until } from "../../dev/testing/until.ts"
import { claimFolder } from "./claim.ts"
import { scratch } from "./testing.ts"

function claim(t: TestContext, folder: string, lines: string[] = []) {
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line))
  const claimed = claimFolder(folder, log)
  t.after(() => claimed.close())
  return claimed
}

const taken = (folder: string) => ({
  code: "FOLDER_TAKEN",
  message: `Another fedstack portal is running that writes to ${folder}. End that one, or give this one a folder of its own with --prometheus.config-dir.`,
})

test("a folder is had by one at a time, who is told once that it is his", async (t) => {
  const folder = await scratch(t)
  const [first, second] = [claim(t, folder), claim(t, folder)]
  assert.equal(await first.take(), true)
  assert.equal(await first.take(), false)
  await assert.rejects(second.take(), taken(folder))
  await assert.rejects(second.take(), taken(folder))
  await first.close()
  assert.deepEqual(await readdir(folder), [])
  assert.equal(await second.take(), true)
})

test("of many that begin at the same time one has it", async (t) => {
  const folder = await scratch(t)
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => claim(t, folder).take()))
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

test("what a killed process leaves is in nobody's way", async (t) => {
  const folder = await scratch(t)
  await leaveStale(folder)
  assert.equal(await claim(t, folder).take(), true)
  await assert.rejects(claim(t, folder).take(), taken(folder))
})

test("of many that find what a killed process left one has the folder", async (t) => {
  const folder = await scratch(t)
  await leaveStale(folder)
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => claim(t, folder).take()))
  assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1)
})

test("a file of that name is in nobody's way", async (t) => {
  const folder = await scratch(t)
  await writeFile(join(folder, "portal.sock"), "")
  assert.equal(await claim(t, folder).take(), true)
})

test("where there could be no socket at first, there is one later", async (t) => {
  const folder = await scratch(t)
  await mkdir(join(folder, "portal.sock"))
  const first = claim(t, folder)
  assert.equal(await first.take(), true)
  await rmdir(join(folder, "portal.sock"))
  assert.equal(await first.take(), false)
  await assert.rejects(claim(t, folder).take(), taken(folder))
})

test("where there can be no socket the folder is taken all the same, and it is told once", async (t) => {
  const folder = join(await scratch(t), "long".repeat(30))
  await mkdir(folder)
  const lines: string[] = []
  const first = claim(t, folder, lines)
  assert.deepEqual([await first.take(), await first.take(), await claim(t, folder).take()], [true, false, true])
  assert.equal(lines.length, 1)
  assert.match(
    lines.join(""),
    /level=info component=portal msg="another portal that writes here would not be noticed" folder=\S+ reason="listen EINVAL/,
  )
})
