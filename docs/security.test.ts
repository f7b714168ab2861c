import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"

test("every test that the security model names by its title is there, in a file that it links", async () => {
  const read = (path: string): Promise<string> => readFile(join(import.meta.dirname, path), "utf8")
  const page = (await read("security.md")).replaceAll(/`[^`]*`/g, "")
  const linked = new Set([...page.matchAll(/\]\((\S+\.ts)\)/g)].map(([, path = ""]) => path))
  const tests = (await Promise.all([...linked].map(read))).join("\n")
  const titles = [...page.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => title.replaceAll(/^… | …$/g, ""))
  assert.ok(titles.length > 15)
  assert.deepEqual(
    titles.filter((title) => !tests.includes(title)),
    [],
  )
})
