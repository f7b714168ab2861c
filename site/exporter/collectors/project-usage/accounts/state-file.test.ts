import assert from "node:assert/strict"
import { readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { test } from "node:test"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { fileOf } from "../testing.ts"
import { type CloudState, EMPTY } from "./state.ts"
import { openStateFile, type StateOptions } from "./state-file.ts"

async function opened(file: string | undefined, pool?: string, options: Partial<StateOptions> = {}) {
  const lines: string[] = []
  const registry = new Registry()
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line))
  const state = await openStateFile(file, { log, registry, pool, ...options })
  const up = async () =>
    /^fedstack_project_usage_state_file_last_write_successful (.*)$/m.exec(await registry.metrics())?.[1]
  return { state, up, log: () => lines.join("") }
}

const ledger = { start: 1, weights: "w", since: 2, end: 3, projects: { p: [1.5, 1, 3e15, 2e15] as const } }
const STATE: CloudState = {
  end: 3,
  total: ledger,
  months: { "2026-02": { closed: [[{ project_id: "p" }, 1, 2]] }, "2026-03": { ledger } },
  tags: { "a-server": ["course 🧬", 1_772_000_000_000] },
}

test("remembers over a restart what was set and saved", async (t) => {
  const file = join(temporaryFolder(t).path, "state.json")
  const first = await opened(file)
  assert.match(first.log(), /level=info .*there is no state file yet/)
  assert.deepEqual(first.state.of("a/b"), EMPTY)
  first.state.set("a/b", STATE)
  await first.state.save()
  assert.equal(await first.up(), "1")
  const second = await opened(file)
  assert.deepEqual(second.state.of("a/b"), STATE)
  assert.equal(second.log(), "")
  assert.equal(statSync(file).mode & 0o777, 0o600)
})

test("reads a file of version 1, in which the names of domains stood before a project's id", async (t) => {
  const ledgerOf = (...keys: readonly string[]) => ({
    ...ledger,
    projects: Object.fromEntries(keys.map((key, index) => [key, [index, 0, 0, 0]])),
  })
  const stateOf = (of: object) => ({ end: 3, total: of, months: { "2026-03": { ledger: of } }, tags: {} })
  const old = ledgerOf("d/elixir/p", "d/a/b/q", "d/elixir/pool/course", "d/a/pool/with/slashes", "e//r")
  const dummy = ledgerOf("d/elixir/p")
  const clouds = { "a/b": stateOf(old), "/": { end: 0, months: STATE.months, tags: {} }, dummy: stateOf(dummy) }
  const { state, log } = await opened(fileOf(t, JSON.stringify({ version: 1, clouds })), "pool")
  assert.deepEqual(state.of("a/b"), stateOf(ledgerOf("p", "q", "pool/course", "pool/with/slashes", "r")))
  assert.deepEqual(state.of("/"), { ...clouds["/"], total: undefined })
  assert.deepEqual(state.of("dummy"), clouds.dummy)
  assert.equal(log(), "")
})

const broken: readonly (readonly [what: string, text: string])[] = [
  ["nothing", ""],
  ["half a file", '{"version":1,"clouds":{"a/b":{"end":1'],
  ["another format", '{"version":3,"clouds":{}}'],
  ["values of other types", '{"version":1,"clouds":{"a/b":{"end":"never","months":{},"tags":{}}}}'],
]
for (const [what, text] of broken) {
  test(`keeps aside a file that holds ${what}, logs that, and begins anew`, async (t) => {
    const file = fileOf(t, text, "state.json")
    const { state, log } = await opened(file)
    assert.deepEqual(state.of("a/b"), EMPTY)
    assert.match(log(), /level=error .*the state file is broken: everything begins anew/)
    assert.equal(readFileSync(`${file}.broken`, "utf8"), text)
    await state.save()
    assert.equal(readFileSync(file, "utf8"), '{"version":2,"clouds":{}}')
  })
}

test("a file that cannot be read ends the start, and stays as it is", async (t) => {
  const folder = temporaryFolder(t).path
  await assert.rejects(opened(folder), {
    message: `${folder}: cannot be read (--state-file): it is a folder; name a file in it, which need not exist yet`,
  })
})

test("a file that another process writes is left to it, until that one has ended", async (t) => {
  const file = join(temporaryFolder(t).path, "state.json")
  const [first, second] = [await opened(file), await opened(file)]
  first.state.set("a", STATE)
  for (const times of [1, 2]) {
    await first.state.save()
    await second.state.save()
    assert.deepEqual([await first.up(), await second.up()], ["1", "0"])
    assert.equal(second.log().match(/another process has written it/g)?.length, times)
  }
  assert.deepEqual((await opened(file)).state.of("a"), STATE)
  await second.state.save()
  assert.equal(await second.up(), "1")
})

test("a disk that cannot be written is logged at every save, and memory goes on", async (t) => {
  const folder = temporaryFolder(t).path
  const { state, up, log } = await opened(join(folder, "missing", "state.json"))
  state.set("a/b", STATE)
  await state.save()
  await state.save()
  assert.equal(await up(), "0")
  assert.equal(log().match(/level=error .*the state file cannot be written: .*ENOENT/g)?.length, 2)
  assert.deepEqual(state.of("a/b"), STATE)
})

test("a disk that hangs does not delay updates, and is logged", async (t) => {
  const file = join(temporaryFolder(t).path, "state.json")
  const { promise: never } = Promise.withResolvers<void>()
  const { state, up, log } = await opened(file, undefined, { patience: 0.05, write: () => never })
  await state.save()
  await state.save()
  assert.equal(await up(), "0")
  assert.equal(log().match(/the state file cannot be written: .*the disk takes more than 0.05 s/g)?.length, 2)
})

test("a failed save leaves the file as it was, and nothing beside it", async (t) => {
  const file = fileOf(t, '{"version":1,"clouds":{}}', "state.json")
  const { state } = await opened(file)
  state.set("a/b", { ...STATE, end: 1n as unknown as number }) // no JSON
  await state.save()
  assert.deepEqual(readdirSync(dirname(file)), ["state.json"])
  assert.equal(readFileSync(file, "utf8"), '{"version":1,"clouds":{}}')
})

test("without a file everything is remembered while the process lives", async () => {
  const { state, up } = await opened(undefined)
  state.set("a/b", STATE)
  await state.save()
  assert.deepEqual(state.of("a/b"), STATE)
  assert.equal(await up(), undefined)
})

test("a write that was too slow is followed by one of what came after it", async (t) => {
  const file = join(temporaryFolder(t).path, "state.json")
  const { promise: slow, resolve } = Promise.withResolvers<void>()
  const written: string[] = []
  const write = async ([one]: readonly { readonly content: string }[]): Promise<void> => {
    written.push(one?.content ?? "")
    if (written.length === 1) await slow
  }
  const { state, up } = await opened(file, undefined, { patience: 0.05, write })
  await state.save()
  state.set("a/b", STATE)
  resolve()
  await state.save()
  assert.deepEqual(written, ['{"version":2,"clouds":{}}', JSON.stringify({ version: 2, clouds: { "a/b": STATE } })])
  assert.equal(await up(), "1")
})
