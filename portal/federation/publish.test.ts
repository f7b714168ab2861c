import assert from "node:assert/strict"
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { test, type TestContext } from "node:test"
import { HEADER, type OutputFile, publish, removeStale } from "./publish.ts"

const outputs = (config: string, ...tokens: readonly string[]): OutputFile[] => [
  ...tokens.map((name) => ({ path: `tokens/${name}`, content: `token of ${name} ${config}`, mode: 0o640 })),
  { path: "prometheus.yml", content: `${HEADER}${config}`, mode: 0o640 },
]

async function scratch(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fedstack-publish-"))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, "out")
}

async function contents(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const texts = files.toSorted().map(async (file) => [file.slice(folder.length + 1), await readFile(file, "utf8")])
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>
}

test("writes files for the group of Prometheus alone, whatever the umask", async (t) => {
  const folder = await scratch(t)
  const umask = process.umask(0o077)
  await publish(folder, outputs("1", "site-a")).finally(() => process.umask(umask))
  const modes = ["", "tokens", "tokens/site-a", "prometheus.yml"].map(
    async (path) => (await stat(join(folder, path))).mode,
  )
  assert.deepEqual(
    (await Promise.all(modes)).map((mode) => (mode & 0o777).toString(8)),
    ["750", "750", "640", "640"],
  )
})

test("leaves a file alone whose content is the same", async (t) => {
  const folder = await scratch(t)
  await publish(folder, outputs("1", "site-a"))
  const before = await stat(join(folder, "prometheus.yml"))
  await publish(folder, outputs("1", "site-a"))
  assert.equal((await stat(join(folder, "prometheus.yml"))).ino, before.ino)
})

test("replaces nothing where one of the files cannot be written, and leaves no temporary file", async (t) => {
  const folder = await scratch(t)
  await publish(folder, outputs("1", "site-a"))
  const before = await contents(folder)
  await mkdir(join(folder, ".prometheus.yml.tmp")) // in the way of the last file
  await assert.rejects(publish(folder, outputs("2", "site-a", "site-b")), {
    code: "CONFIGURATION_NOT_WRITTEN",
    message: /^The Prometheus configuration cannot be written to .*out: .*\. The old files stay as they are\.$/,
  })
  assert.deepEqual(await contents(folder), before)
})

test("refuses to overwrite a configuration that another program wrote", async (t) => {
  const folder = await scratch(t)
  await mkdir(folder)
  await writeFile(join(folder, "prometheus.yml"), "global: {}\n")
  await assert.rejects(publish(folder, outputs("1", "site-a")), { code: "FOREIGN_CONFIGURATION" })
  assert.deepEqual(await contents(folder), { "prometheus.yml": "global: {}\n" })
})

for (const mine of ["rules/node.yml", "tls/prometheus.key.pem", "tokens/grafana"]) {
  test(`does not take over a folder in which ${mine} of another program stands, where it would be deleted`, async (t) => {
    const folder = await scratch(t)
    await mkdir(join(folder, dirname(mine)), { recursive: true })
    await writeFile(join(folder, mine), "mine")
    await assert.rejects(publish(folder, outputs("1", "site-a")), {
      code: "FOREIGN_CONFIGURATION",
      message: `${join(folder, mine)} was not written by fedstack portal, which neither overwrites nor deletes it. Name a folder of its own with --prometheus.config-dir, or move the file away.`,
    })
    assert.deepEqual(await contents(folder), { [mine]: "mine" })
  })
}

test("goes on where it was killed during its first writing", async (t) => {
  const folder = await scratch(t)
  await mkdir(join(folder, "tokens"), { recursive: true })
  await mkdir(join(folder, "rules"))
  await writeFile(join(folder, "tokens/site-a.0123abcd"), "token, with the key of then")
  await writeFile(join(folder, "rules/.own.yml.tmp"), "groups: [")
  const rule = { path: "rules/new.yml", content: "groups: []", mode: 0o640 }
  await writeFile(join(folder, rule.path), rule.content, { mode: rule.mode })
  const files = [rule, ...outputs("1", "site-a")]
  await publish(folder, files)
  await removeStale(folder, files)
  assert.deepEqual(Object.keys(await contents(folder)), ["prometheus.yml", "rules/new.yml", "tokens/site-a"])
})

test("removes the tokens of sites that are gone, and nothing outside its own folders", async (t) => {
  const folder = await scratch(t)
  await publish(folder, outputs("1", "site-a", "site-b"))
  await writeFile(join(folder, "mine.txt"), "mine")
  await publish(folder, outputs("1", "site-b"))
  await removeStale(folder, outputs("1", "site-b"))
  assert.deepEqual(Object.keys(await contents(folder)), ["mine.txt", "prometheus.yml", "tokens/site-b"])
})

test("removes nothing where another portal has written its configuration meanwhile, which names what it wrote", async (t) => {
  const folder = await scratch(t)
  await publish(folder, outputs("1", "site-a"))
  await publish(folder, outputs("2", "site-b"))
  await removeStale(folder, outputs("1", "site-a"))
  assert.deepEqual(Object.keys(await contents(folder)), ["prometheus.yml", "tokens/site-a", "tokens/site-b"])
})
