import assert from "node:assert/strict"
import { existsSync } from "node:fs"
import { readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { temporaryFolder } from "../testing/folder.ts"
import { until } from "../testing/until.ts"
import { Processes } from "./processes.ts"
import { Service } from "./service.ts"
import { followStopped } from "./stopped.ts"

/** A service whose process appends its number to a file, and what was said about it. */
async function serviceOf(t: TestContext, { strict = false } = {}) {
  const { path, write } = temporaryFolder(t)
  const { path: logs } = temporaryFolder(t)
  const ending = new AbortController()
  const said: string[] = []
  const processes = new Processes(path, logs)
  t.after(async () => {
    ending.abort()
    await processes.stop()
    await processes.close()
  })
  const pids = await write("pids", "")
  const program = { name: "a b", command: "/bin/sh", args: ["-c", `echo started; echo $$ >>${pids}; exec sleep 1000`] }
  const keeper = { processes, progress: { say: (text: string) => void said.push(text) }, strict, signal: ending.signal }
  const service = new Service(keeper, program, processes.start(program))
  const pid = (index: number) =>
    until(`process ${index}`, async () => Number((await readFile(pids, "utf8")).split("\n")[index]) || undefined)
  return { service, processes, said, pid, logs, folder: path, signal: ending.signal }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test("a process that ends is reported with its log, and started again", async (t) => {
  const { said, pid, logs } = await serviceOf(t)
  process.kill(await pid(0), "SIGKILL")
  assert.ok(isAlive(await pid(1)))
  assert.match(
    said.join("\n"),
    /^a b ended by itself \(SIGKILL\)\. Everything else goes on; it is started again in 1 s\. Its log: .*\/a-b\.log$/,
  )
  assert.equal(await readFile(join(logs, "a-b.log"), "utf8"), "started\nstarted\n")
})

test("a process that ends a strict run is its failure", async (t) => {
  const { said, pid, processes } = await serviceOf(t, { strict: true })
  process.kill(await pid(0), "SIGKILL")
  await assert.rejects(processes.failure, {
    message: "a b ended by itself (SIGKILL). The last lines of its log:\n  started",
  })
  assert.deepEqual(said, [])
})

test("a site is stopped while a file of its name stands in the folder, and then started again", async (t) => {
  const { service, said, pid, folder, signal } = await serviceOf(t)
  const stopped = join(folder, "stopped")
  const following = followStopped(stopped, [{ name: "site-a", services: [service] }], {
    progress: { say: (text) => void said.push(text) },
    signal,
  })
  const first = await pid(0)
  await until("the folder", () => (existsSync(stopped) ? true : undefined))
  await writeFile(join(stopped, "site-b"), "")
  await writeFile(join(stopped, "site-a"), "")
  await until("the site to be stopped", () => (said.length === 1 ? true : undefined))
  assert.equal(isAlive(first), false)
  await rm(join(stopped, "site-a"))
  const second = await pid(1)
  assert.ok(isAlive(second))
  assert.deepEqual(said, ["site-a is stopped.", "site-a is started again."])
  t.after(() => following)
})
