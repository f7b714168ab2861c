import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { writeTo } from "../../dev/testing/pipe.ts"
import { readText } from "./read-text.ts"
import { recordReads } from "./watch.ts"

function makePipe(t: TestContext) {
  const folder = temporaryFolder(t)
  const pipe = join(folder.path, "pipe")
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0)
  return { pipe, write: (script: string) => writeTo(t, pipe, script), folder }
}

test("reads a pipe to its end, however slowly it comes, and gives the same again", async (t) => {
  const { pipe, write } = makePipe(t)
  const { written } = await write("printf one; sleep 0.1; printf two")
  assert.equal(readText(pipe), "onetwo")
  await written
  assert.equal(readText(pipe), "onetwo")
  assert.equal(recordReads().read(pipe), "onetwo")
})

test("a pipe that nobody writes to is no file, and is not waited for", (t) => {
  const { pipe } = makePipe(t)
  const message = `${pipe}: cannot be read: it is a pipe, not a file`
  assert.throws(() => readText(pipe), { message })
  assert.throws(() => recordReads().read(pipe), { message })
})

test("what takes the place of a pipe is read", async (t) => {
  const { pipe, write, folder } = makePipe(t)
  const { written } = await write("printf one")
  assert.equal(readText(pipe), "one")
  await written
  await rename(await folder.write("next", "two"), pipe)
  assert.equal(readText(pipe), "two")
  await writeFile(pipe, "three")
  assert.equal(readText(pipe), "three")
})

test("reads no more of a device than a configuration can be, and nothing of one that is empty", () => {
  assert.throws(() => readText("/dev/zero"), { message: "/dev/zero: cannot be read: it gives more than 64 MiB" })
  assert.equal(readText("/dev/null"), "")
})
