import assert from "node:assert/strict"
import { rename } from "node:fs/promises"
import { test } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { createLogger } from "#core/log/logger.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { until } from "../../../../dev/testing/until.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { openRulers, type ServingRuler } from "./open-rulers.ts"
import { startFakeRuler } from "./ruler.testing.ts"
import { readRulersFile } from "./rulers-file.ts"
import { rulerSettings } from "./settings.ts"

const [A, B] = ["team-a" as TenantId, "team-b" as TenantId]
const NEVER = new AbortController().signal

test("rulers come from a file, and others when it changes; a faulty one keeps those of before", async (t) => {
  const folder = temporaryFolder(t)
  await folder.write("token", "s3cr3t")
  const [one, two] = [await startFakeRuler(t), await startFakeRuler(t, { type: "mimir" })]
  const first = `rulers:\n  - {name: one, url: "${one.url.href}", token_file: token, tenants: [team-a]}\n`
  const file = await folder.write("rulers.yaml", first)
  const replace = async (text: string) => rename(await folder.write("new.yaml", text), file)
  const settings = { settings: rulerSettings, command: "fedstack rules", summary: "" }
  const reading = readSettings(settings, [`--rulers=${file}`], {})
  if (reading.kind === "help") throw new Error("no help was requested")
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "rules", (line) => lines.push(line))
  const changes: (readonly ServingRuler[])[] = []
  const changed = (rulers: readonly ServingRuler[]) => void changes.push(rulers)
  const rulers = await openRulers(reading.values, { log, registry: createRegistry(), changed })
  t.after(() => rulers.close())
  const shown = () =>
    rulers.current().map(({ ruler, target, serves }) => [ruler.name, target.name, serves(A), serves(B)])
  assert.deepEqual(shown(), [["one", "cortex-1.21", true, false]])
  await rulers.current()[0]?.ruler.list(A, NEVER)
  assert.equal(one.calls[0]?.authorization, "Bearer s3cr3t")

  const before = rulers.current()[0]?.ruler
  await replace("rulers: []\n")
  await until("the faulty file to be read", () => lines.some((line) => line.includes("must hold at least one")))
  assert.deepEqual(shown(), [["one", "cortex-1.21", true, false]])
  await replace(`${first}  - {name: two, url: "${two.url.href}", type: mimir}\n`)
  await until("the second ruler", () => changes.length === 1)
  await rulers.reload()
  assert.deepEqual(shown(), [
    ["one", "cortex-1.21", true, false],
    ["two", "mimir", true, true],
  ])
  assert.equal(rulers.current()[0]?.ruler, before)
  assert.deepEqual(await rulers.current()[1]?.ruler.list(B, NEVER), new Map())
  await replace(`rulers:\n  - {name: two, url: "${two.url.href}", type: mimir}\n`)
  await until("the first ruler to be gone", () => changes.length === 2)
  assert.deepEqual(
    changes[1]?.map(({ ruler }) => ruler.name),
    ["two"],
  )
  assert.equal(lines.join("").includes("s3cr3t"), false)
})

test("validates for rulers with the same target and flags once, and for others with their own flags", async (t) => {
  const flags = ["utf8-names", "promql-experimental-functions"]
  const entries = [[], flags, flags.toReversed()].map(
    (features, index) => `  - {name: r${index}, url: "http://r${index}", enable_features: [${features.join()}]}\n`,
  )
  const file = await temporaryFolder(t).write("rulers.yaml", `rulers:\n${entries.join("")}`)
  const settings = { settings: rulerSettings, command: "fedstack rules", summary: "" }
  const reading = readSettings(settings, [`--rulers=${file}`], {})
  if (reading.kind === "help") throw new Error("no help was requested")
  const log = createLogger({ level: "error", format: "logfmt" }, "rules", () => undefined)
  const rulers = await openRulers(reading.values, { log, registry: createRegistry() })
  t.after(() => rulers.close())
  const [plain, first, second] = rulers.current().map(({ target }) => target)
  assert.equal(first, second)
  assert.deepEqual(
    [plain, first].map((target) => target?.dialect.functions.has("info")),
    [false, true],
  )
})

test("reports every fault of a file of rulers with its place", () => {
  const text = `rulers:
  - name: a
    url: http://a/?x=1
    type: thanos
  - {name: a, url: "http://b", token_file: t, basic_auth: {username: "a:b", password_file: p}, tls: {ca_file: c}}
  - {name: b/c, url: "http://b", tenants: ["a|b"], prefix: p q, limits: {groups_per_tenant: -1}, password: x}
`
  assert.throws(() => readRulersFile("rulers.yaml", () => text), {
    name: "ConfigurationError",
    message: `rulers.yaml:3:5 rulers[0].url: must not have a query or a fragment; a path prefix is fine
rulers.yaml:4:5 rulers[0].type: must be cortex or mimir
rulers.yaml:5:60 rulers[1].basic_auth.username: must hold no colon
rulers.yaml:6:6 rulers[2].name: must be a name of letters, digits, '-', '_' and '.', at most 63
rulers.yaml:6:52 rulers[2].prefix: must be a path such as /prometheus
rulers.yaml:6:44 rulers[2].tenants[0]: must consist of letters, digits and !-_.*'() (has "|")
rulers.yaml:6:74 rulers[2].limits.groups_per_tenant: must be at least 0
rulers.yaml:6:98 rulers[2].password: unknown key`,
  })
  const valid = `rulers:
  - {name: a, url: "http://a"}
  - {name: a, url: "http://b", token_file: t, basic_auth: {username: a, password_file: p}, tls: {cert_file: c}}
  - {name: c, url: "http://a"}
`
  assert.throws(() => readRulersFile("rulers.yaml", () => valid), {
    message: `rulers.yaml:3:5 rulers[1]: has token_file and basic_auth; a request can have one of them
rulers.yaml:3:6 rulers[1].name: is that of a too, so that both would write to the same ruler
rulers.yaml:3:92 rulers[1].tls: has no effect with an http:// URL
rulers.yaml:3:92 rulers[1].tls: must have both cert_file and key_file, or neither
rulers.yaml:4:15 rulers[2].url: is that of a too, so that both would write to the same ruler`,
  })
})
