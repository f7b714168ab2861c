import assert from "node:assert/strict"
import { mkdir, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { EMPTY_DAY, withState } from "./day.ts"
import { keepMemory, memoryOf, NO_MEMORY, readMemory } from "./memory.ts"
import type { SiteChange } from "./overview.ts"
import { NO_SCRAPES, withScrape } from "./record.ts"
import type { Remembered } from "./tracked.ts"

function logging() {
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) =>
    lines.push(line.replace(/^ts=\S+ level=(\S+) component=portal /, "$1 ").trim()),
  )
  return { log, lines }
}

const NOON = Date.parse("2026-11-30T12:00:00Z")

const change = (index: number, text: string | null): SiteChange => ({
  at: new Date(NOON - index * 1000),
  until: new Date(NOON - index * 1000),
  count: 1,
  state: "down",
  cause: `cause_${index}`,
  reason: text,
  text,
})

const remembered = (changes: readonly SiteChange[]): Remembered => ({
  record: withScrape(NO_SCRAPES, { at: NOON / 1000, ok: false, seconds: 0.1, series: 0, kept: 0 }, 30),
  state: "down",
  since: new Date(NOON),
  changes,
  day: withState(EMPTY_DAY, "down", NOON),
  seriesDayAgo: 12,
  listedSince: NOON / 1000 - 60,
})

test("gives back what an earlier process wrote, in a file for the portal alone", async (t) => {
  const { path } = temporaryFolder(t)
  const { log, lines } = logging()
  const site = remembered([change(1, "no such host")])
  const content = () => memoryOf([["site-a", "https://a.example.org", site]], new Date(NOON + 5000))
  await keepMemory(path, { log, content, mayWrite: () => true }).write()
  const { seen, sites } = await readMemory([path], log)
  assert.deepEqual(seen, new Date(NOON + 5000))
  assert.deepEqual(
    [...sites],
    [
      [
        "site-a",
        { url: "https://a.example.org", remembered: { ...site, record: { ...site.record, health: undefined } } },
      ],
    ],
  )
  assert.equal((await stat(join(path, "status.json"))).mode & 0o777, 0o600)
  assert.deepEqual(lines, [])
})

test("keeps that scrapes were slow, so that a restart does not make them quick", async (t) => {
  const { path } = temporaryFolder(t)
  const { log } = logging()
  const slow = { ...remembered([]), record: { ...remembered([]).record, slow: 2 } }
  await keepMemory(path, { log, content: () => memoryOf([["a", "", slow]]), mayWrite: () => true }).write()
  assert.equal((await readMemory([path], log)).sites.get("a")?.remembered.record.slow, 2)
})

test("reads what a portal wrote that did not note when Prometheus was seen", async (t) => {
  const folder = temporaryFolder(t)
  await folder.write("status.json", memoryOf([["site-a", "https://a.example.org", remembered([])]]))
  const { seen, sites } = await readMemory([folder.path], logging().log)
  assert.deepEqual([seen, [...sites.keys()]], [undefined, ["site-a"]])
})

test("keeps each site within 4 kB: the words of older changes go first, then the changes", () => {
  const changes = Array.from({ length: 20 }, (_, index) => change(index, `${index} ${'"ü'.repeat(500)}`))
  const text = memoryOf([["site-a", "https://a.example.org", remembered(changes)]])
  assert.equal(Buffer.byteLength(text) < 4096 + 100, true)
  const [first, ...others] = (JSON.parse(text) as { sites: { "site-a": { changes: SiteChange[] } } }).sites["site-a"]
    .changes
  assert.equal(first?.text, null)
  assert.equal(others.length, 19)
  const short = memoryOf([
    ["site-a", "https://a.example.org", remembered(changes.map((one) => ({ ...one, reason: "r", text: "t" })))],
  ])
  assert.equal(short.match(/"text":"t"/g)?.length, 20)
})

test("begins anew with a damaged file, and logs it", async (t) => {
  const folder = temporaryFolder(t)
  const good = memoryOf([["site-a", "https://a.example.org", remembered([])]])
  const damaged = [
    "",
    "{",
    "null",
    good.slice(0, 200),
    good.replace('"version":1', '"version":9'),
    good.replace(/-+d/, "-x"),
  ]
  for (const content of damaged) {
    const { log, lines } = logging()
    const file = await folder.write("status.json", content)
    assert.deepEqual(await readMemory([folder.path], log), NO_MEMORY)
    assert.deepEqual(lines, [
      `warn msg="cannot read what was noted of the sites, beginning anew" file=${file} reason="it is not what fedstack portal writes"`,
    ])
  }
})

test("begins anew without a file, silently", async (t) => {
  const { log, lines } = logging()
  assert.deepEqual(await readMemory([join(temporaryFolder(t).path, "none")], log), NO_MEMORY)
  assert.deepEqual(lines, [])
})

test("does not write where it may not, nor what is written already", async (t) => {
  const { path } = temporaryFolder(t)
  const { log } = logging()
  let content = "one"
  let mayWrite = false
  const memory = keepMemory(path, { log, content: () => content, mayWrite: () => mayWrite })
  await memory.write()
  await assert.rejects(stat(join(path, "status.json")), { code: "ENOENT" })
  mayWrite = true
  await memory.write()
  const before = await stat(join(path, "status.json"))
  await memory.write()
  assert.equal((await stat(join(path, "status.json"))).ino, before.ino)
  content = "two"
  await memory.write()
  assert.equal(await readFile(join(path, "status.json"), "utf8"), "two")
})

test("logs a failure to write once, and its end", async (t) => {
  const { path } = temporaryFolder(t)
  const { log, lines } = logging()
  let turn = 0
  const folder = join(path, "folder")
  const memory = keepMemory(folder, { log, content: () => `${turn++}`, mayWrite: () => true })
  await memory.write()
  await memory.write()
  const file = join(folder, "status.json")
  assert.deepEqual(lines, [
    `warn msg="cannot note the sites' states: they are lost when the portal restarts" file=${file} reason="ENOENT: no such file or directory"`,
  ])
  await mkdir(folder)
  await memory.write()
  assert.deepEqual(lines.slice(1), [`info msg="noting the sites' states again" file=${file}`])
})
