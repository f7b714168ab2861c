import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../../../dev/testing/child.ts"
import { need } from "../../../../dev/testing/component.ts"
import { findOpa } from "../../../../dev/testing/opa.ts"
import { until } from "../../../../dev/testing/until.ts"
import { feed, FEW, opaOf, PATHS } from "./opa.testing.ts"

const root = join(import.meta.dirname, "../../../..")

test("--single prints one collection and ends: 0 where everything was read, 1 where not", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opa = await opaOf(t, folder)
  await feed(opa, FEW)
  const run = async (...urls: readonly string[]) => {
    const child = start(join(root, "bin/fedstack"), [
      ...["exporter", "opa-data", "--single", "--cluster-name=c", ...PATHS],
      ...urls.map((url) => `--opa-url=${url}`),
    ])
    return { code: await child.ended, output: child.output() }
  }
  const good = await run(opa.url)
  assert.equal(good.code, 0, good.output)
  assert.match(good.output, /^# HELP opa_cluster_data_items .*\n# TYPE .*\nopa_cluster_data_items\{.*\} 4\n/)
  const bad = await run(opa.url, "http://127.0.0.1:1")
  assert.equal(bad.code, 1)
  assert.match(bad.output, /^opa_cluster_data_items\{.*\} 4$/m)
  assert.match(bad.output, /^fedstack: Not everything could be read\. 127\.0\.0\.1:1: .*ECONNREFUSED/m)
})

test("the command serves from the shell, and ends in order on a signal", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opa = await opaOf(t, folder)
  await feed(opa, FEW)
  const child = start(join(root, "bin/fedstack"), ["exporter", "opa-data", "--web.listen-address=127.0.0.1:0"], {
    APP_CLUSTER_NAME: "cluster42",
    APP_OPA_URL: opa.url,
    APP_OPA_NAMESPACED_DATA: "kubernetes/services,kubernetes/ingresses",
  })
  const port = await until("the exporter", () => /127\.0\.0\.1:(\d+)\D*tls=/.exec(child.output())?.[1])
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  assert.match(text, /^opa_namespaced_data_items\{cluster_name="cluster42",data_path="kubernetes\/services",.*\} 9$/m)
  assert.equal(await child.stop(), 0)
})
