import assert from "node:assert/strict"
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import test from "node:test"
import { brokenLinks } from "./links.ts"

test("finds links to files that are not there, seen from the page that links", async (context) => {
  const root = await mkdtemp(join(tmpdir(), "fedstack-links-"))
  context.after(() => rm(root, { recursive: true }))
  await mkdir(join(root, "docs"))
  await writeFile(join(root, "README.md"), "[docs](docs/) ![picture](gone.png) [web](https://example.org/gone)")
  await writeFile(join(root, "docs/a.md"), "[up](../README.md#part) [here](#part) [gone](b.md#part)")
  assert.deepEqual(await brokenLinks(root), [
    "README.md links to gone.png, which does not exist",
    "docs/a.md links to b.md, which does not exist",
  ])
})
