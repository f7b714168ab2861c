import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../../../dev/testing/child.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findOpa, startOpa } from "../../../../dev/testing/opa.ts"

const ROOT = join(import.meta.dirname, "../../../..")
const PATH = "kubernetes/services"

test("the policy in docs/opa-data.md keeps the exporter's requests out of OPA's decision log, and nothing else", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const { write } = temporaryFolder(t)
  const page = await readFile(join(ROOT, "docs/opa-data.md"), "utf8")
  const policy = await write("log.rego", /^```rego\n(package system\.log\n[^]*?)^```/m.exec(page)?.[1] ?? "")
  const read = async (url: string, ...flags: readonly string[]) => {
    const settings = ["--single", "--cluster-name=c", `--opa-url=${url}`, `--opa-namespaced-data=${PATH}`]
    const exporter = start(join(ROOT, "bin/fedstack"), ["exporter", "opa-data", ...settings, ...flags])
    assert.equal(await exporter.ended, 0, exporter.output())
    return exporter.output()
  }
  const printed = await read("http://127.0.0.1:1", "--print-package")
  const rules = await write("opa_data.rego", printed)

  const logged = async (...policies: readonly string[]) => {
    const opa = await startOpa(folder, { flags: ["--set=decision_logs.console=true", ...policies] })
    t.after(() => opa.stop())
    await opa.put(PATH, { a: { x: { metadata: { name: "x" } } } })
    for (const method of ["query", "package"]) await read(opa.url, `--opa-read-method=${method}`)
    await opa.ask("GET", "/v1/data/kubernetes/services/a")
    await opa.stop()
    const lines = opa.child
      .output()
      .split("\n")
      .filter((line) => line.includes('"msg":"Decision Log"'))
    return lines.map((line) => {
      const { path, query } = JSON.parse(line) as { path?: string; query?: string }
      return query === undefined ? path : "a query"
    })
  }
  assert.deepEqual(
    new Set(await logged(rules)),
    new Set(["a query", "fedstack/opa_data/counts_and_objects", `${PATH}/a`]),
  )
  assert.deepEqual(await logged(rules, policy), [`${PATH}/a`])
})
