import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import { openRun } from "./run.ts"

test("leaves no folder behind where the disk is full", async (t) => {
  const path = await mkdtemp(join(tmpdir(), "fedstack-disk-"))
  // room for one folder and nothing in it
  const mount = spawnSync("mount", ["-t", "tmpfs", "-o", "nr_inodes=2", "tmpfs", path])
  const { TMPDIR = "" } = process.env
  t.after(() => {
    process.env.TMPDIR = TMPDIR
    spawnSync("umount", ["-l", path])
    return rm(path, { recursive: true })
  })
  if (mount.status !== 0) {
    t.skip("no tmpfs can be mounted here (needs root)")
    return
  }
  process.env.TMPDIR = path
  const progress = { update: () => undefined, say: () => undefined, end: () => undefined }
  const prometheus = { binary: "", version: "", flags: [] }
  await assert.rejects(
    openRun({ prometheus, fedstack: "", logs: path, progress, interval: 1, strict: false, signal: t.signal }),
    {
      code: "NO_FOLDER",
      message: /^Cannot write to the folder for temporary files or logs \(ENOSPC: /,
    },
  )
  assert.deepEqual(await readdir(path), [])
})
