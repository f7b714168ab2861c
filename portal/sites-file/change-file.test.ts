import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import {
  chmodSync,
  chownSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { setImmediate as turn } from "node:timers/promises"
import { parse } from "yaml"
import { ConfigurationError } from "#core/errors.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { changeFile, etagOf } from "./change-file.ts"
import type { Change } from "./edit.ts"

const validate = (): Promise<void> => Promise.resolve()
const set = (name: string, interval: string): Change => ({ kind: "set", name, keys: { interval } })
const FILE = "sites:\n  - name: a # first\n    url: https://a\n"

test("replaces the file in one step, with its owner and mode, and leaves nothing beside it", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  chmodSync(file, 0o664)
  if (process.geteuid?.() === 0) chownSync(file, 1234, 5678)
  const before = statSync(file)
  const changed = await changeFile(file, set("a", "1m"), { validate })
  assert.equal(readFileSync(file, "utf8"), `${FILE}    interval: 1m\n`)
  assert.deepEqual(changed, { etag: etagOf(`${FILE}    interval: 1m\n`), written: true })
  const { mode, uid, gid, ino } = statSync(file)
  assert.deepEqual([mode, uid, gid], [before.mode, before.uid, before.gid])
  assert.notEqual(ino, before.ino)
  assert.deepEqual(readdirSync(path), ["sites.yaml"])
  assert.deepEqual(await changeFile(file, set("a", "1m"), { validate }), { ...changed, written: false })
})

test("writes nothing where the whole file would have faults, and throws all of them", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  const faults = [
    { where: "sites.yaml:2:5", message: "one" },
    { where: "sites.yaml:3:5", message: "two" },
  ]
  const seen: string[] = []
  await assert.rejects(
    changeFile(file, set("a", "1m"), {
      validate(text) {
        seen.push(text)
        return Promise.reject(new ConfigurationError(faults))
      },
    }),
    (error) => error instanceof ConfigurationError && error.faults === faults,
  )
  assert.deepEqual(
    [seen, readFileSync(file, "utf8"), readdirSync(path)],
    [[`${FILE}    interval: 1m\n`], FILE, ["sites.yaml"]],
  )
})

test("a version that is not the one of If-Match is refused, also one that came meanwhile", async (t) => {
  const { write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  const other = `${file} is not the version that If-Match names: look at what changed, and send the change again with its ETag. Nothing was changed.`
  await assert.rejects(changeFile(file, set("a", "1m"), { validate, ifMatch: '"x", W/"y"' }), {
    code: "OTHER_VERSION",
    message: other,
  })
  const ifMatch = `"x", ${etagOf(FILE)}`
  const byHand = (): Promise<void> => {
    writeFileSync(file, `# by hand\n${FILE}`)
    return Promise.resolve()
  }
  await assert.rejects(changeFile(file, set("a", "1m"), { validate: byHand, ifMatch }), { code: "OTHER_VERSION" })
  assert.equal(readFileSync(file, "utf8"), `# by hand\n${FILE}`)
  await changeFile(file, set("a", "1m"), { validate, ifMatch: "*" })
  await changeFile(file, set("a", "2m"), { validate, ifMatch: etagOf(readFileSync(file)) })
  assert.equal(readFileSync(file, "utf8"), `# by hand\n${FILE}    interval: 2m\n`)
})

test("a file that is edited by hand at the same moment keeps that too", async (t) => {
  const { write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  let edits = 0
  const byHand = (): Promise<void> => {
    if (edits++ < 3) writeFileSync(file, `${readFileSync(file, "utf8")}# edit ${edits}\n`)
    return Promise.resolve()
  }
  await changeFile(file, set("a", "1m"), { validate: byHand })
  assert.equal(readFileSync(file, "utf8"), `${FILE}    interval: 1m\n# edit 1\n# edit 2\n# edit 3\n`)
})

test("gives up where another client never ends, and takes over what a killed one left", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  const temporary = await write(".sites.yaml.tmp", "half")
  await assert.rejects(changeFile(file, set("a", "1m"), { validate }), {
    message: `${file} is being changed by another client all the time, or by a program that ended while it did; try again in a minute. Nothing was changed.`,
  })
  utimesSync(temporary, new Date(0), new Date(0))
  await changeFile(file, set("a", "1m"), { validate })
  assert.deepEqual(readdirSync(path), ["sites.yaml"])
})

test("says why a file cannot be changed", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  const link = join(path, "link.yaml")
  symlinkSync(file, link)
  const messageOf = async (name: string): Promise<string> => {
    try {
      await changeFile(name, set("a", "1m"), { validate })
      return "changed"
    } catch (error) {
      return error instanceof Error ? error.message : ""
    }
  }
  assert.equal(
    await messageOf(link),
    `${link} cannot be changed here: it is a symbolic link to ${file}; name that file, or change it where it comes from. Nothing was changed.`,
  )
  chmodSync(file, 0o444)
  assert.equal(
    await messageOf(file),
    `${file} cannot be changed here: it is read-only; change it where it comes from, or allow writing. Nothing was changed.`,
  )
  assert.equal(await messageOf(path), `${path} cannot be changed here: it is not a file. Nothing was changed.`)
})

test("says so of a file that is mounted by itself, as one of a container", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  const source = await write("source.yaml", FILE)
  if (spawnSync("mount", ["--bind", source, file]).status !== 0)
    return t.skip("nothing can be mounted here (needs root)")
  using _ = unmountAfter(file)
  await assert.rejects(changeFile(file, set("a", "1m"), { validate }), {
    message: `${file} cannot be changed here: it is mounted by itself, and so cannot be replaced; mount its folder in its place. Nothing was changed.`,
  })
  assert.deepEqual(readdirSync(path).toSorted(), ["sites.yaml", "source.yaml"])
})

test("a folder that takes no file", async (t) => {
  const { path, write } = temporaryFolder(t)
  const file = await write("sites.yaml", FILE)
  if (spawnSync("mount", ["--bind", path, path]).status !== 0) return t.skip("nothing can be mounted here (needs root)")
  using _ = unmountAfter(path)
  if (spawnSync("mount", ["-o", "remount,ro,bind", path]).status !== 0) return t.skip("no read-only mount here")
  await assert.rejects(changeFile(file, set("a", "1m"), { validate }), {
    message: `${file} cannot be changed here: EROFS: read-only file system; fedstack runs as user 0 and must be able to write it. Nothing was changed.`,
  })
})

const unmountAfter = (path: string) => ({ [Symbol.dispose]: () => void spawnSync("umount", [path]) })

/** The same numbers in each run. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
}

test("whatever operators and editors do at once, nothing is lost and comments are kept (50 random runs)", async (t) => {
  const { write } = temporaryFolder(t)
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = randomFrom(seed)
    const names = Array.from({ length: 6 }, (_, index) => `s${index}`)
    const entries = names.map((name) =>
      random(2) === 0
        ? `  # about ${name}\n  - {name: ${name}, url: https://${name}} # ${name} in one line\n`
        : `  # about ${name}\n  - name: ${name} # ${name}\n    # inside ${name}\n    url: https://${name}\n`,
    )
    const file = await write(`sites-${seed}.yaml`, `# head\nsites:\n${entries.join("")}# foot\nlimits: {series: 7}\n`)
    const expected = new Map<string, object>(names.map((name) => [name, { name, url: `https://${name}` }]))
    const wanted: Change[] = names.map((name, index) =>
      index === 0
        ? { kind: "remove", name }
        : { kind: "set", name, keys: { interval: `${random(60) + 1}s`, paused: { why: `run, ${seed}` } } },
    )
    wanted.push({ kind: "add", name: "new", entry: { name: "new", url: "https://new" } })
    for (const change of wanted) {
      if (change.kind === "remove") expected.delete(change.name)
      else if (change.kind === "add") expected.set(change.name, change.entry)
      else expected.set(change.name, { ...expected.get(change.name), ...change.keys })
    }
    let left = 5
    /** As editors save: in place, or by another file that takes its place. */
    const byHand = (): void => {
      const text = `${readFileSync(file, "utf8")}# edit ${left}\n`
      const target = left % 2 === 0 ? file : `${file}~`
      writeFileSync(target, text)
      if (target !== file) renameSync(target, file)
      left -= 1
    }
    const validateSlowly = async (): Promise<void> => {
      await turn()
      if (left > 0 && random(3) === 0) byHand()
    }
    const order = wanted.toSorted(() => random(3) - 1)
    await Promise.all(order.map((change) => changeFile(file, change, { validate: validateSlowly })))
    for (let edits = left; edits > 0; edits -= 1) byHand()
    const text = readFileSync(file, "utf8")
    const { sites, limits } = parse(text) as { sites: { name: string }[]; limits: object }
    assert.deepEqual(new Map(sites.map((site) => [site.name, site])), expected, `seed ${seed}`)
    assert.deepEqual(limits, { series: 7 })
    const kept = [
      "# head",
      "# foot",
      ...names.map((name) => `# about ${name}`),
      ...[5, 4, 3, 2, 1].map((n) => `# edit ${n}`),
    ]
    const inside = names
      .slice(1)
      .flatMap((name) => (text.includes(`# ${name} in one line`) ? [] : [`# inside ${name}`]))
    assert.deepEqual(
      [...kept, ...inside].filter((comment) => !text.includes(comment)),
      [],
      `seed ${seed}`,
    )
  }
})
