import assert from "node:assert/strict"
import { mkdir, readdir } from "node:fs/promises"
import { basename, join } from "node:path"
import { test } from "node:test"
import { temporaryFolder } from "../testing/folder.ts"
import { openLogs } from "./logs.ts"

test("keeps the logs of the last five runs, and those of runs that go on", async (t) => {
  const folder = join(temporaryFolder(t).path, "up")
  const ended = 2 ** 22 + 1 // no process has this number
  const running = `20200101T000000-${process.pid}`
  await mkdir(join(folder, running), { recursive: true })
  await mkdir(join(folder, "of another kind"))
  const made: string[] = []
  for (let minute = 0; minute < 8; minute++)
    made.push(basename(await openLogs(folder, new Date(Date.UTC(2026, 0, 1, 0, minute)), ended)))
  assert.equal(made[0], `20260101T000000-${ended}`)
  assert.deepEqual((await readdir(folder)).toSorted(), [running, ...made.slice(-5), "of another kind"])
})
