import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import test from "node:test"
import { setImmediate as nextTurn } from "node:timers/promises"
import { pathToFileURL } from "node:url"
import { circles, componentOf, isForTests, productionModules, roomOf, roomsIn } from "./modules.ts"

const root = join(import.meta.dirname, "../..")
const graph = productionModules(root)
const rooms = roomsIn(readFileSync(join(root, "docs/architecture.md"), "utf8"))

/** Imports that a rule forbids, each as a sentence. */
function importsThat(forbidden: (from: string, to: string) => boolean): readonly string[] {
  return [...graph].flatMap(([from, targets]) =>
    targets.filter((to) => forbidden(from, to)).map((to) => `${from} imports ${to}`),
  )
}

test("every import leads to a file", () => {
  assert.deepEqual(
    importsThat((_, to) => !existsSync(join(root, to))),
    [],
  )
})

test("no files import each other in a circle, not even for types", () => {
  assert.deepEqual(circles(graph), [])
})

test("core imports nothing but core", () => {
  assert.deepEqual(
    importsThat((from, to) => from.startsWith("core/") && !to.startsWith("core/")),
    [],
  )
})

test("nothing in production imports dev or what is for tests", () => {
  assert.deepEqual(
    importsThat((_, to) => to.startsWith("dev/") || isForTests(to)),
    [],
  )
})

test("no component imports another", () => {
  const crosses = (from: string, to: string): boolean => {
    const [own, other] = [componentOf(from, graph), componentOf(to, graph)]
    return !MAPS.includes(from) && other !== undefined && other !== own
  }
  assert.deepEqual(importsThat(crosses), [])
})

/** The explicit lists of components, which load each by name. */
const MAPS = ["commands.ts", "site/exporter/collectors/index.ts"]

test("docs/architecture.md lists the rooms that there are", () => {
  const folders = readdirSync(join(root, "core"), { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.deepEqual(rooms.map(({ name }) => name).toSorted(), folders.map(({ name }) => name).toSorted())
})

test("a room imports only rooms that stand before it in docs/architecture.md", () => {
  const level = new Map(rooms.map(({ name }, index) => [name, index]))
  const upwards = (from: string, to: string): boolean => {
    const [own, other] = [roomOf(from), roomOf(to)]
    if (own === undefined || other === own) return false
    return other === undefined ? !GROUND.includes(to) : (level.get(other) ?? Infinity) > (level.get(own) ?? -1)
  }
  assert.deepEqual(importsThat(upwards), [])
})

/** What every room may import; the other files of core itself are above the rooms. */
const GROUND = ["core/closable.ts", "core/errors.ts"]

test("every room begins with what it is for, in the words of docs/architecture.md", () => {
  for (const { name, purpose } of rooms) {
    const [title, blank, first] = readFileSync(join(root, "core", name, "README.md"), "utf8").split("\n")
    assert.deepEqual([title, blank, first], [`# core/${name}`, "", `${purpose}.`])
  }
})

test("every production module can be loaded, and loading it starts nothing", async () => {
  const before = held()
  const modules = [...graph.keys()].filter((file) => file !== "cli.ts")
  for (const file of modules) await import(pathToFileURL(join(root, file)).href)
  await nextTurn() // Node's own loader and test runner have something to do in it at times
  assert.deepEqual(held(), before)
})

/** What keeps a process running: servers, timers, watches. Standard output may be a pipe that opens at its first use. */
function held(): string[] {
  return process.getActiveResourcesInfo().filter((name) => !["PipeWrap", "TTYWrap", "CloseReq"].includes(name))
}
