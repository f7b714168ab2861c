import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { writeSet } from "./write-set.ts"

const NAMES = ["secrets/credentials", "secrets/config", "config/id"]

function prepare(t: TestContext) {
  const folder = temporaryFolder(t)
  for (const name of ["secrets", "config"]) mkdirSync(join(folder.path, name))
  const filesOf = (content: string) =>
    NAMES.map((name) => ({ file: join(folder.path, name), content: `${content} ${name}`, mode: 0o640 }))
  /** As a reader sees them. */
  const read = () =>
    NAMES.map((name) => {
      const file = join(folder.path, name)
      return existsSync(file) ? readFileSync(file, "utf8").split(" ")[0] : undefined
    })
  return { ...folder, filesOf, read }
}

/** All that stands below a folder, and nothing is a link. */
function everythingIn(path: string): readonly string[] {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).toSorted()
  assert.deepEqual(
    names.filter((name) => lstatSync(join(path, name)).isSymbolicLink()),
    [],
  )
  return names
}
const WHOLE = ["config", "config/id", "secrets", "secrets/config", "secrets/credentials"]

test("writes a set into several folders, with its modes, and leaves nothing else", async (t) => {
  const { path, filesOf, read } = prepare(t)
  for (const content of ["old", "new"]) {
    assert.deepEqual(
      await writeSet(filesOf(content)),
      NAMES.map((name) => join(path, name)),
    )
    assert.deepEqual([read(), everythingIn(path)], [[content, content, content], WHOLE])
  }
  assert.deepEqual(
    NAMES.map((name) => statSync(join(path, name)).mode & 0o7777),
    [0o640, 0o640, 0o640],
  )
})

test("leaves alone what is right already, and replaces what has another mode", async (t) => {
  const { path, filesOf } = prepare(t)
  const states = () => NAMES.map((name) => statSync(join(path, name)).ino)
  await writeSet(filesOf("old"))
  const before = states()
  assert.deepEqual(await writeSet(filesOf("old")), [])
  assert.deepEqual(states(), before)
  const changed = filesOf("old").map((one, index) => (index === 1 ? { ...one, mode: 0o600 } : one))
  assert.deepEqual(await writeSet(changed), [join(path, "secrets/config")])
  assert.deepEqual(
    states().map((inode, index) => inode === before[index]),
    [true, false, true],
  )
})

test("keeps the old set where a file cannot be replaced, and leaves nothing else", async (t) => {
  const { path, filesOf, read } = prepare(t)
  await writeSet(filesOf("old"))
  const files = filesOf("new")
  mkdirSync(join(path, "config/folder/full"), { recursive: true })
  const impossible = { file: join(path, "config/folder"), content: "new", mode: 0o600 }
  await assert.rejects(writeSet([...files, impossible]), { code: "EISDIR" })
  assert.deepEqual(read(), ["old", "old", "old"])
  assert.deepEqual(everythingIn(path), [...WHOLE, "config/folder", "config/folder/full"].toSorted())
})

const PROGRAM = `
import { writeSet } from ${JSON.stringify(join(import.meta.dirname, "write-set.ts"))}
await writeSet(JSON.parse(process.env.FILES))
`

/** Those that are killed report no coverage; without it, code that is compiled already starts them in half the time. */
const STARTED_FAST = {
  NODE_COMPILE_CACHE: join(import.meta.dirname, "../../node_modules/.cache/node-compile"),
  NODE_V8_COVERAGE: "",
}

/** Ends with SIGKILL in place of one of its changes; whether it did. */
async function killAt(change: number, files: readonly object[], below: string): Promise<boolean> {
  const preload = join(import.meta.dirname, "../../dev/testing/kill-at.ts")
  const env = {
    ...process.env,
    ...STARTED_FAST,
    KILL_AT: String(change),
    KILL_BELOW: below,
    FILES: JSON.stringify(files),
  }
  return new Promise((resolve, reject) => {
    const args = ["--import", preload, "--input-type=module", "-e", PROGRAM]
    execFile(process.execPath, args, { env }, (error, _, stderr) => {
      if (error === null) resolve(false)
      else if (error.signal === "SIGKILL") resolve(true)
      else reject(new Error(stderr))
    })
  })
}

for (const before of ["old", undefined]) {
  test(`a kill at any step leaves ${before === undefined ? "no file" : "the old set"} or the new one, and the next call writes the new one`, async (t) => {
    const seen = new Set<string>()
    const [MOST, AT_ONCE] = [120, 20]
    const round = async (change: number): Promise<boolean> => {
      const { path, filesOf, read } = prepare(t)
      if (before !== undefined) await writeSet(filesOf(before))
      const killed = await killAt(change, filesOf("new"), path)
      const [first, ...others] = read()
      assert.deepEqual(others, [first, first], `change ${change}`)
      seen.add(String(first))
      await writeSet(filesOf("new"))
      assert.deepEqual([read(), everythingIn(path)], [["new", "new", "new"], WHOLE], `change ${change}`)
      return killed
    }
    let killed = 0
    for (let next = 1; next <= MOST && killed === next - 1; next += AT_ONCE) {
      const outcomes = await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => round(next + index)))
      killed += outcomes.filter((outcome) => outcome).length
    }
    assert.ok(killed > 30 && killed < MOST, `${killed} changes`)
    assert.deepEqual([...seen], [String(before), "new"])
  })
}

test("a kill while another is cleaned up after loses nothing", async (t) => {
  const { path, filesOf, read } = prepare(t)
  await writeSet(filesOf("old"))
  const middle = 45
  assert.equal(await killAt(middle, filesOf("new"), path), true)
  const [first] = read()
  for (let change = 1; change < 12; change++) await killAt(change, filesOf(first ?? ""), path)
  assert.deepEqual(read(), [first, first, first])
  await writeSet(filesOf("new"))
  assert.deepEqual([read(), everythingIn(path)], [["new", "new", "new"], WHOLE])
})

test("a link in the place of a file is replaced, not followed", async (t) => {
  const { path, filesOf, read, write } = prepare(t)
  const other = await write("other", "untouched")
  symlinkSync(other, join(path, "secrets/config"))
  await writeSet(filesOf("new"))
  assert.deepEqual([read(), readFileSync(other, "utf8")], [["new", "new", "new"], "untouched"])
})
