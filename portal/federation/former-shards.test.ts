import assert from "node:assert/strict"
import { mkdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { acceptedFile } from "./accepted.ts"
import { openFormerShards } from "./former-shards.ts"
import { HEADER, publish } from "./publish.ts"

test("finds the folder of a shard that is no longer given, until its configuration is gone", async (t) => {
  const { path } = temporaryFolder(t)
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", () => undefined)
  const shard = (name: string) => {
    const folder = join(path, name)
    return { name, url: new URL(`http://${name}`), folder, named: true }
  }
  const open = async (...names: readonly string[]) => {
    const former = openFormerShards(names.map(shard), log)
    await former.read()
    const file = former.file()
    for (const name of names) await publish(shard(name).folder, file === undefined ? [] : [file])
    return former
  }
  const config = { path: "prometheus.yml", content: HEADER, mode: 0o640 }
  const sites = ["x", "y"].map((name) => ({ name, interval: 30 }))
  await mkdir(shard("c").folder)
  await publish(shard("c").folder, [acceptedFile({ sites, files: [config] }), config])
  assert.deepEqual(await (await open("a", "c")).find(), [])
  const gone = [{ name: "c", folder: shard("c").folder, sites: 2 }]
  const former = await open("a", "b")
  assert.deepEqual([await former.find(), former.folders()], [gone, [shard("c").folder]])
  // over a further restart, and where the one that noted it first is gone too
  assert.deepEqual(await (await open("b", "d")).find(), gone)
  assert.deepEqual(await (await open("b", "c")).find(), [])
  assert.deepEqual(await (await open("b", "d")).find(), gone)
  await rm(join(shard("c").folder, "prometheus.yml"))
  assert.deepEqual(await (await open("b", "d")).find(), [])
  await writeFile(join(shard("b").folder, "shards.json"), "{")
  assert.deepEqual(await (await open("b")).find(), [])
})
