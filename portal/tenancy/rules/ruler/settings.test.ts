import assert from "node:assert/strict"
import { test } from "node:test"
import { readSettings } from "#core/config/read-settings.ts"
import { rulerConfigs, rulerSettings } from "./settings.ts"

function read(...flags: readonly string[]) {
  const reading = readSettings({ settings: rulerSettings, command: "fedstack rules", summary: "" }, flags, {})
  if (reading.kind === "help") throw new Error("no help was requested")
  return rulerConfigs(reading.values)
}

const shown = (rulers: ReturnType<typeof read>): readonly string[] =>
  rulers.map(({ name, url, distributor, type, target, prefix }) =>
    [name, url.href, distributor.href, type, target, prefix].join(" "),
  )

test("the only ruler is at the address of the original, and has the name that stands in the ledger", () => {
  const at = "http://127.0.0.1:8080/"
  assert.deepEqual(shown(read()), [`ruler ${at} ${at} cortex cortex-1.21 /prometheus`])
})

test("several rulers have names, and share the other settings", () => {
  const flags = ["--ruler-upstream-url", "eu=http://eu:80/m", "--ruler-upstream-url", "us=https://us/?"]
  assert.deepEqual(shown(read(...flags, "--ruler.type=mimir", "--distributor-upstream-url=http://d")), [
    "eu http://eu/m http://d/ mimir mimir /prometheus",
    "us https://us/? http://d/ mimir mimir /prometheus",
  ])
})

const FAULTS: readonly (readonly [flags: readonly string[], message: string])[] = [
  [
    ["--ruler-upstream-url=http://a/?x=1"],
    "--ruler-upstream-url: must not have a query or a fragment; a path prefix is fine, or NAME=URL with such a URL",
  ],
  [
    ["--rulers=r.yaml", "--ruler-upstream-url=http://a"],
    "--rulers: is set beside --ruler-upstream-url; set only one of the two",
  ],
  [
    ["--ruler-upstream-url=http://a", "--ruler-upstream-url=http://b"],
    "--ruler-upstream-url: needs a name for each of several rulers, as NAME=URL: the ledger has it",
  ],
  [["--ruler.username=a"], "--ruler.username: must be given together with --ruler.password-file"],
  [["--ruler.prometheus-http-prefix=a b"], "--ruler.prometheus-http-prefix: must be a path such as /prometheus"],
]
for (const [flags, message] of FAULTS)
  test(`refuses ${flags.join(" ")}`, () => {
    assert.throws(() => read(...flags), { name: "UsageError", message: new RegExp(RegExp.escape(message)) })
  })
