import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { isPage, SCHEMES } from "../dev/screenshot.ts"

const ROOT = join(import.meta.dirname, "..")

test("README.md shows the portal's page, in the reader's colours", async () => {
  const readme = await readFile(join(ROOT, "README.md"), "utf8")
  for (const scheme of SCHEMES) {
    const file = `docs/page-${scheme}.png`
    assert.ok(readme.includes(`"${file}"`), file)
    assert.ok(isPage(await readFile(join(ROOT, file))), `${file}: draw it with dev/screenshot`)
  }
})
