import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import type { ReadText } from "./read-text.ts"
import { recordReads, watchFiles } from "./watch.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"

/** Loads now, and again after each change. The poll is as good as off unless asked for. */
async function follow(t: TestContext, load: (read: ReadText) => void | Promise<void>, poll = 3_600_000) {
  let reads = recordReads()
  await load(reads.read)
  const watching = watchFiles(
    () => reads.contents,
    async () => {
      reads = recordReads()
      await load(reads.read)
      watching.update()
    },
    poll,
  )
  t.after(() => watching.close())
  return watching
}

/** Whether the system reports changes in a folder. After a load the files are compared in any case, which is no proof. */
async function watched(folder: string): Promise<void> {
  const inode = `ino:${statSync(folder).ino.toString(16)} `
  const isWatched = (): boolean =>
    readdirSync("/proc/self/fdinfo").some((descriptor) => {
      try {
        return readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8").includes(inode)
      } catch {
        return false // that of the list itself is closed by now
      }
    })
  await until(`a watch of ${folder}`, () => (isWatched() ? true : undefined))
}

/** Watches one file; every content that was seen after a change. */
async function start(t: TestContext, file: string, poll?: number) {
  const seen: string[] = []
  const watching = await follow(t, (read) => void seen.push(contentOf(file, read)), poll)
  seen.length = 0
  const sees = (content: string) => until(`to see ${content}`, () => (seen.at(-1) === content ? true : undefined))
  return { seen, sees, watching }
}

function contentOf(file: string, read: ReadText): string {
  try {
    return read(file)
  } catch {
    return "gone"
  }
}

test("an edit in place", async (t) => {
  const file = await temporaryFolder(t).write("a", "one")
  const { sees } = await start(t, file)
  await writeFile(file, "two")
  await sees("two")
})

test("a replacement by rename, again and again", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("a", "one")
  const { sees, seen } = await start(t, file)
  for (const content of ["two", "three", "four"]) {
    await rename(await folder.write("next", content), file)
    await sees(content)
  }
  assert.deepEqual(seen, ["two", "three", "four"])
})

test("the swap of ..data with which Kubernetes renews a mounted secret", async (t) => {
  const folder = temporaryFolder(t)
  await folder.write("..2024_1/token", "one")
  await folder.write("..2024_2/token", "two")
  await symlink("..2024_1", join(folder.path, "..data"))
  const file = join(folder.path, "token")
  await symlink("..data/token", file)
  const { sees } = await start(t, file)
  await symlink("..2024_2", join(folder.path, "..data_tmp"))
  await rename(join(folder.path, "..data_tmp"), join(folder.path, "..data"))
  await sees("two")
  await rm(join(folder.path, "..2024_1"), { recursive: true })
})

test("a file that appears later, vanishes and comes back", async (t) => {
  const folder = temporaryFolder(t)
  const file = join(folder.path, "later")
  const { sees } = await start(t, file)
  await writeFile(file, "here")
  await sees("here")
  await rm(file)
  await sees("gone")
  await writeFile(file, "again")
  await sees("again")
})

test("a folder that appears later is found by the poll, and from then on watched", async (t) => {
  const file = join(temporaryFolder(t).path, "later", "a")
  const { sees } = await start(t, file, 30)
  await mkdir(join(file, ".."))
  await writeFile(file, "one")
  await sees("one")
  await writeFile(file, "two")
  await sees("two")
})

test("a folder that is moved away and replaced is watched in its new place", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("sub/a", "one")
  await folder.write("next/a", "two")
  const { sees } = await start(t, file)
  await rename(join(folder.path, "sub"), join(folder.path, "old"))
  await rename(join(folder.path, "next"), join(folder.path, "sub"))
  await sees("two")
  await watched(join(folder.path, "sub"))
  await writeFile(file, "three")
  await sees("three")
})

test("quick edits end with the last content, and the same content is no change", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("a", "0")
  const { sees, seen } = await start(t, file)
  for (let edit = 1; edit <= 50; edit += 1) await writeFile(file, String(edit))
  await sees("50")
  const changes = seen.length
  await writeFile(file, "50")
  await folder.write("other", "x")
  await writeFile(file, "51")
  await sees("51")
  assert.equal(seen.length, changes + 1)
})

test("changes are loaded one after another, and what changed meanwhile is loaded once", async (t) => {
  const file = await temporaryFolder(t).write("a", "0")
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const seen: string[] = []
  let running = 0
  let most = 0
  const watching = await follow(t, async (read) => {
    const content = read(file)
    if (content === "0") return
    most = Math.max(most, ++running)
    begun.resolve()
    await release.promise
    seen.push(content)
    running -= 1
  })
  await writeFile(file, "1")
  await begun.promise
  for (const content of ["2", "3", "4"]) await writeFile(file, content)
  release.resolve()
  await until("the change meanwhile", () => (seen.length === 2 ? true : undefined))
  await watching.close()
  assert.deepEqual([seen, most], [["1", "4"], 1])
})

test("files that a change brings in are watched from then on", async (t) => {
  const folder = temporaryFolder(t)
  const list = await folder.write("list", "one/a")
  await folder.write("one/a", "0")
  await folder.write("two/b", "1")
  const seen: string[] = []
  const watching = await follow(t, (read) => {
    seen.push(
      read(list)
        .split(" ")
        .map((name) => read(join(folder.path, name)))
        .join(" "),
    )
  })
  await writeFile(list, "one/a two/b")
  await until("the list to be read", () => (seen.at(-1) === "0 1" ? true : undefined))
  await watched(join(folder.path, "two"))
  await folder.write("two/b", "2")
  await until("the new file's change", () => (seen.at(-1) === "0 2" ? true : undefined))
  await watching.close() // before its folder is gone
})

test("files that are not read any more are watched no more", async (t) => {
  const folder = temporaryFolder(t)
  const list = await folder.write("list", "sub/a")
  const file = await folder.write("sub/a", "0")
  let loads = 0
  await follow(t, (read) => {
    loads += 1
    if (read(list) !== "") read(file)
  })
  await writeFile(list, "")
  await until("the list to be read", () => (loads === 2 ? true : undefined))
  await writeFile(file, "1")
  await writeFile(list, " ")
  await until("the list to be read again", () => (loads === 3 ? true : undefined))
})

for (const [when, folderOf] of [
  ["in a folder that is watched already", "."],
  ["in another folder", "sub"],
] as const) {
  test(`a change right after a file was read is noticed, ${when}`, async (t) => {
    const folder = temporaryFolder(t)
    const list = await folder.write("list", "")
    const added = await folder.write(join(folderOf, "added"), "1")
    const seen: string[] = []
    const watching = await follow(t, async (read) => {
      if (read(list) === "") return
      seen.push(read(added))
      if (seen.length === 1) await writeFile(added, "2")
    })
    await writeFile(list, "added")
    await until("the second content", () => (seen.at(-1) === "2" ? true : undefined))
    await watching.close() // before its folder is gone
  })
}

test("a change before the watch began is noticed", async (t) => {
  const file = await temporaryFolder(t).write("a", "0")
  const seen: string[] = []
  await follow(t, async (read) => {
    seen.push(read(file))
    if (seen.length === 1) await writeFile(file, "1")
  })
  await until("the change", () => (seen.at(-1) === "1" ? true : undefined))
})

test("after close nothing is loaded, and close waits for what is under way", async (t) => {
  const file = await temporaryFolder(t).write("a", "0")
  const begun = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  let changes = 0
  const watching = await follow(t, async (read) => {
    if (read(file) === "0") return
    changes += 1
    begun.resolve()
    await release.promise
  })
  await writeFile(file, "1")
  await begun.promise
  await writeFile(file, "2")
  let closed = false
  const closing = watching.close().then(() => (closed = true))
  await turn()
  assert.equal(closed, false)
  release.resolve()
  await closing
  assert.equal(changes, 1)
})

test("goes on where a folder becomes a loop of links, and notices the one that takes its place", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("sub/a", "one")
  const { sees } = await start(t, file, 30)
  await rename(join(folder.path, "sub"), join(folder.path, "old"))
  await symlink("sub", join(folder.path, "sub"))
  await sees("gone")
  await rm(join(folder.path, "sub"))
  await folder.write("sub/a", "two")
  await sees("two")
})

test("does not wait for a writer where a pipe stands, and notices the file that takes its place", async (t) => {
  const folder = temporaryFolder(t)
  const next = await folder.write("next", "1")
  const pipe = join(folder.path, "pipe")
  assert.equal(spawnSync("mkfifo", [pipe]).status, 0)
  const { sees } = await start(t, pipe)
  await rename(next, pipe)
  await sees("1")
})
