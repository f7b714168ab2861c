import assert from "node:assert/strict"
import { mkdir, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { acceptedFile, readAccepted } from "./accepted.ts"
import { HEADER, publish } from "./publish.ts"
import { scratch } from "./testing.ts"

const files = [
  { path: "tokens/site-a.0123abcd", content: "s3cret", mode: 0o640 },
  { path: "tls/site-a.ca.pem", content: "certificate", mode: 0o640 },
  { path: "rules/own.yml", content: "groups: []\n", mode: 0o640 },
  { path: "prometheus.yml", content: `${HEADER}global: {}\n`, mode: 0o640 },
]

const accepted = { sites: [{ name: "site-a", interval: 30 }], files }

function logTo(lines: string[]) {
  return createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line.replace(/^ts=\S+ /, "")))
}

test("what Prometheus accepted is read back whole, and only the portal can read it", async (t) => {
  const [folder, lines] = [await scratch(t), [] as string[]]
  await publish(folder, [...files, acceptedFile(accepted)])
  assert.deepEqual(await readAccepted(folder, logTo(lines)), accepted)
  assert.equal(((await stat(join(folder, "accepted.json"))).mode & 0o777).toString(8), "600")
  assert.deepEqual(lines, [])
})

test("the files alone, which earlier versions wrote, are read", async (t) => {
  const [folder, lines] = [await scratch(t), [] as string[]]
  const written = files.map(({ path, content }) => ({ path, content }))
  await writeFile(join(folder, "accepted.json"), JSON.stringify(written))
  assert.deepEqual(await readAccepted(folder, logTo(lines)), { sites: [], files })
  assert.deepEqual(lines, [])
})

test("where nothing was accepted yet there is nothing, and no log line", async (t) => {
  const [folder, lines] = [await scratch(t), [] as string[]]
  assert.equal(await readAccepted(folder, logTo(lines)), undefined)
  assert.equal(await readAccepted(join(folder, "none"), logTo(lines)), undefined)
  assert.deepEqual(lines, [])
})

const [token, config] = [files[0], files[3]]
for (const [what, content, reason] of [
  ["cut short", '[{"path": "prometheus.yml", "cont', "it is not what fedstack portal writes"],
  ["something else", '{"s3cret": 1}', "it is not what fedstack portal writes"],
  ["without a configuration", JSON.stringify([{ ...token, mode: undefined }]), "it is not what fedstack portal writes"],
  [
    "with a file elsewhere",
    JSON.stringify([
      { path: "tokens/../../x", content: "s3cret" },
      { ...config, mode: undefined },
    ]),
    "it is not what fedstack portal writes",
  ],
  [
    "with a folder's own name",
    JSON.stringify([
      { path: "tokens/..", content: "s3cret" },
      { ...config, mode: undefined },
    ]),
    "it is not what fedstack portal writes",
  ],
] as const) {
  test(`a file that is ${what} is ignored, with the reason and nothing of its content in the log`, async (t) => {
    const [folder, lines] = [await scratch(t), [] as string[]]
    await writeFile(join(folder, "accepted.json"), content)
    assert.equal(await readAccepted(folder, logTo(lines)), undefined)
    assert.deepEqual(lines, [
      `level=warn component=portal msg="cannot read the last accepted configuration, continuing without it" file=${join(folder, "accepted.json")} reason="${reason}"\n`,
    ])
  })
}

test("a file that cannot be read is ignored, with the reason in the log", async (t) => {
  const [folder, lines] = [await scratch(t), [] as string[]]
  await mkdir(join(folder, "accepted.json"))
  assert.equal(await readAccepted(folder, logTo(lines)), undefined)
  assert.match(lines.join(""), /^level=warn .* reason="EISDIR: [^"]*"\n$/)
})
