import assert from "node:assert/strict"
import { hash } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"

const ROOT = join(import.meta.dirname, "..")

test("overview.png was drawn by dev/overview from docs/overview.svg as it is", async () => {
  const lines = ["docs/overview.svg", "overview.png"].map(
    async (name) => `${hash("sha256", await readFile(join(ROOT, name)))}  ${name}\n`,
  )
  assert.equal(await readFile(join(ROOT, "docs/overview.sha256"), "utf8"), (await Promise.all(lines)).join(""))
})
