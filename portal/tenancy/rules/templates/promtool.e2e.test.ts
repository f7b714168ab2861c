import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { seeded } from "../../../../dev/fuzz/random.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findPrometheus } from "../../../../dev/testing/prometheus.ts"
import { seedOf } from "../../../../dev/testing/seed.ts"
import { checkTemplate } from "./check-template.ts"
import { BUILTINS, prometheusFunctions } from "./functions.ts"
import { randomTemplate } from "./random-template.testing.ts"

const TEMPLATES = 4000
/** Of Prometheus 3; -1 for Prometheus 2. */
const VERSIONS = [
  ["2.53", -1],
  ["3.5", 5],
] as const

for (const [version, minor] of VERSIONS) {
  const functions = prometheusFunctions(minor)
  test(`agrees with promtool ${version} on random templates`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const random = seeded(seedOf(t))
    const texts = Array.from({ length: TEMPLATES }, () => randomTemplate(random))
    const refused = await refusedByPromtool(t, join(folder, "promtool"), texts)
    const disagreements = texts.flatMap((text, index) => {
      const [error] = checkTemplate(text, { functions }).filter(({ severity }) => severity === "error")
      const theirs = refused.get(index)
      return (error === undefined) === (theirs === undefined) ? [] : [{ text, here: error?.message, promtool: theirs }]
    })
    t.diagnostic(`${refused.size} of ${texts.length} refused`)
    assert.deepEqual(disagreements, [])
    assert.ok(refused.size > TEMPLATES / 10 && refused.size < (TEMPLATES * 9) / 10)
  })

  test(`knows the functions of promtool ${version}`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const names = [...prometheusFunctions(Infinity), ...BUILTINS, "tmpl", "none"]
    const refused = await refusedByPromtool(
      t,
      join(folder, "promtool"),
      names.map((name) => `{{ ${name} }}`),
    )
    const known = names.filter((_, index) => !refused.has(index))
    assert.deepEqual(known, [...functions, ...BUILTINS])
  })
}

/** Why, by their indices. */
async function refusedByPromtool(
  t: TestContext,
  promtool: string,
  texts: readonly string[],
): Promise<ReadonlyMap<number, string>> {
  const rules = texts.map((text) => ({ alert: "A", expr: "up", annotations: { a: text } }))
  const file = await temporaryFolder(t).write("rules.yml", JSON.stringify({ groups: [{ name: "g", rules }] }))
  const output = await new Promise<string>((resolve) => {
    execFile(promtool, ["check", "rules", "--lint=none", file], { maxBuffer: 1 << 28 }, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    )
  })
  const found = output.matchAll(/group "g", rule (\d+), "A": annotation "a": (.*)/g)
  const refused = new Map([...found].map(([, rule, reason = ""]) => [Number(rule) - 1, reason]))
  // without a verdict at all there would be no disagreement
  assert.match(output, refused.size === 0 ? /SUCCESS/ : /FAILED/)
  return refused
}
