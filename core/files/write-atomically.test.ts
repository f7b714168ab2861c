import assert from "node:assert/strict"
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import { writeAtomically } from "./write-atomically.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"

const contentsOf = (folder: string) =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), "utf8")]))

test("writes with the mode that was asked for, whatever the umask and the mode before", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("a", "old")
  chmodSync(file, 0o666)
  const umask = process.umask(0o077)
  t.after(() => process.umask(umask))
  await writeAtomically([{ file, content: "new", mode: 0o644 }])
  assert.deepEqual([contentsOf(path), statSync(file).mode & 0o777], [{ a: "new" }, 0o644])
})

test("replaces no file where one of them cannot be written, and leaves no temporary file", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("a", "old")
  const files = [file, join(path, "missing", "b")].map((name) => ({ file: name, content: "new", mode: 0o600 }))
  await assert.rejects(writeAtomically(files), { code: "ENOENT" })
  assert.deepEqual(contentsOf(path), { a: "old" })
})

test("what a killed process left is replaced, a link is not followed", async (t) => {
  const { path, write } = temporaryFolder(t)
  const other = await write("other", "untouched")
  symlinkSync(other, join(path, ".a.tmp"))
  await writeAtomically([{ file: join(path, "a"), content: "new", mode: 0o600 }])
  assert.deepEqual(contentsOf(path), { a: "new", other: "untouched" })
})

test("writers of the same file do not touch each other's temporary files", async (t) => {
  const { path } = temporaryFolder(t)
  mkdirSync(join(path, ".a.first.tmp"))
  await writeAtomically([{ file: join(path, "a"), content: "new", mode: 0o600 }], ".second")
  assert.deepEqual(readdirSync(path), [".a.first.tmp", "a"])
})

test("a reader sees the whole old or the whole new content at every moment", async (t) => {
  const { write } = temporaryFolder(t)
  const contents = ["a", "b"].map((letter) => letter.repeat(500_000))
  const file = await write("a", contents[0] ?? "")
  for (let round = 0; round < 20; round++) {
    const writing = writeAtomically([{ file, content: contents[round % 2] ?? "", mode: 0o600 }])
    const written = writing.then(() => true)
    while (!(await Promise.race([written, turn(false)]))) assert.ok(contents.includes(readFileSync(file, "utf8")))
  }
})
