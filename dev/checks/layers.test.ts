import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { dirname, join, normalize } from "node:path"
import test from "node:test"
import { pathToFileURL } from "node:url"
import { sources } from "./plan.ts"

const root = join(import.meta.dirname, "../..")
const production = sources(root, "{core,site,portal}/**/*.ts").filter((file) => !isForTests(file))

/** Tests, and what the tests of one component share, in testing.ts or x.testing.ts. */
function isForTests(file: string): boolean {
  return /(?:\.test|[./]testing)\.ts$/.test(file)
}

/** The portal is one component; each folder of site/ is another. */
function componentOf(file: string): string {
  const [top = "", second = ""] = file.split("/")
  return top === "site" ? `${top}/${second}` : top
}

async function importsOf(file: string): Promise<string[]> {
  const text = await readFile(join(root, file), "utf8")
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*"([#.][^"]+)"/g)].map(([, name = ""]) => name)
  return specifiers.map((name) =>
    name.startsWith("#core/") ? name.replace("#core/", "core/") : normalize(join(dirname(file), name)),
  )
}

test("core imports nothing but core", async () => {
  assert.deepEqual(await importsBetween((from, to) => from.startsWith("core/") && !to.startsWith("core/")), [])
})

test("nothing in production imports dev or what is for tests", async () => {
  assert.deepEqual(await importsBetween((_, to) => to.startsWith("dev/") || isForTests(to)), [])
})

test("no component imports another", async () => {
  const crosses = (from: string, to: string): boolean =>
    !["core", "dev", componentOf(from)].includes(componentOf(to)) && !from.startsWith("core/")
  assert.deepEqual(await importsBetween(crosses), [])
})

test("every production module can be loaded, and loading it starts nothing", async () => {
  const before = held()
  for (const file of production) await import(pathToFileURL(join(root, file)).href)
  assert.deepEqual(held(), before)
})

/** What keeps a process running: servers, timers, watches. Standard output may be a pipe that opens at its first use. */
function held(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !["PipeWrap", "TTYWrap", "CloseReq"].includes(name))
}

async function importsBetween(forbidden: (from: string, to: string) => boolean): Promise<string[]> {
  const found: string[] = []
  for (const file of production) {
    const targets = (await importsOf(file)).filter((target) => forbidden(file, target))
    found.push(...targets.map((target) => `${file} imports ${target}`))
  }
  return found
}
