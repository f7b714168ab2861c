import assert from "node:assert/strict"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import type { CheckOptions } from "./check-rules.ts"
import { CORPUS, runCheck } from "./testing.ts"

const SHARED = join(import.meta.dirname, "../../../../../shared/rules-corpus")

for (const [name, { class: kind, valid, why, promtool35, text }] of Object.entries(CORPUS)) {
  const statusOf = async (t: Parameters<typeof runCheck>[0], options: Partial<CheckOptions>): Promise<number> =>
    (await runCheck(t, { [name]: text }, options)).status

  test(`${name} (${why}): the verdicts of promtool 3.5`, async (t) => {
    const given = {
      plain: await statusOf(t, {}),
      experimental: await statusOf(t, { enableFeature: ["promql-experimental-functions"] }),
      lintFatal: await statusOf(t, { lintFatal: true }),
    }
    assert.deepEqual(given, promtool35)
  })

  if (kind === "newer" || kind === "experimental-newer")
    test(`${name} (${why}): the verdict of Prometheus 3.14`, async (t) => {
      assert.equal(await statusOf(t, { target: "prometheus-3.14" }), valid ? 0 : 1)
      const enableFeature = ["promql-experimental-functions", "promql-binop-fill-modifiers"] as const
      assert.equal(await statusOf(t, { target: "prometheus-3.14", enableFeature }), 0)
    })
}

test("every file of the shared corpus is here, as it is there", (t) => {
  if (!existsSync(SHARED)) return t.skip(`there is no ${SHARED}`)
  const files = readdirSync(SHARED).filter((file) => file.endsWith(".yaml"))
  const texts = Object.fromEntries(files.map((file) => [file, readFileSync(join(SHARED, file), "utf8")]))
  assert.deepEqual(Object.fromEntries(Object.entries(CORPUS).map(([name, { text }]) => [name, text])), texts)
})
