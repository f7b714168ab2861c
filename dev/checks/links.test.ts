import assert from "node:assert/strict"
import test from "node:test"
import { temporaryFolder } from "../testing/folder.ts"
import { brokenLinks } from "./links.ts"

test("finds links to files that are not there, seen from the page that links", async (context) => {
  const { path: root, write } = temporaryFolder(context)
  await write("README.md", "[docs](docs/) ![picture](gone.png) [web](https://example.org/gone)")
  await write("docs/a.md", "[up](../README.md#part) [here](#part) [gone](b.md#part)")
  assert.deepEqual(await brokenLinks(root), [
    "README.md links to gone.png, which does not exist",
    "docs/a.md links to b.md, which does not exist",
  ])
})
