import assert from "node:assert/strict"
import { statSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { makeFolder } from "./make-folders.ts"

test("makes what is missing with the mode that was asked for, whatever the umask, and leaves the rest as it is", async (t) => {
  const { path } = temporaryFolder(t)
  const umask = process.umask(0o077)
  t.after(() => process.umask(umask))
  await makeFolder(join(path, "a/b"), 0o755)
  await makeFolder(join(path, "a/b/c"), 0o2750)
  await makeFolder(join(path, "a"), 0o700)
  assert.deepEqual(
    ["a", "a/b", "a/b/c"].map((name) => statSync(join(path, name)).mode & 0o7777),
    [0o755, 0o755, 0o2750],
  )
})
