import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../testing/child.ts"
import { need } from "../testing/component.ts"
import { temporaryFolder } from "../testing/folder.ts"
import { findPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"

const fedstack = join(import.meta.dirname, "../../bin/fedstack")
const LOCAL = "127.0.0.1:0"
/** Of an API that does not respond. */
const KUBECONFIG = JSON.stringify({
  "current-context": "a",
  contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
  clusters: [{ name: "a", cluster: { server: "http://127.0.0.1:9" } }],
  users: [{ name: "a", user: {} }],
})

/** Names that the original of the tenancy proxy has. */
const OF_ORIGINAL = `open_metrics_proxy_failures counter metrics should have "_total" suffix
open_metrics_proxy_labels counter metrics should have "_total" suffix
open_metrics_proxy_metadata counter metrics should have "_total" suffix
open_metrics_proxy_processing_ms metric names should not contain abbreviated units
open_metrics_proxy_tenants counter metrics should have "_total" suffix
`

/** A component, how it is started, and what promtool says of its metrics nevertheless. */
const components: readonly (readonly [string, (folder: string) => readonly string[], string?])[] = [
  ["proxy", () => ["proxy", "--web.listen-address", LOCAL, "--admin.listen-address", LOCAL]],
  [
    "portal",
    (folder) => [
      ...["portal", "--web.listen-address", LOCAL, "--prometheus.config-dir", join(folder, "out")],
      ...["--sites.file", join(folder, "sites.yaml"), "--prometheus.url", "http://127.0.0.1:9"],
    ],
  ],
  ["tenancy-proxy", () => ["tenancy-proxy", "--web.listen-address", LOCAL], OF_ORIGINAL],
  [
    "rules-informer",
    (folder) => [
      ...["rules-informer", "--web.listen-address", LOCAL, "--kubeconfig", join(folder, "kubeconfig")],
      ...["--tracker", "*:mirror"],
    ],
  ],
]

for (const [name, args, excepted = ""] of components) {
  test(`promtool has nothing against the ${name}'s own metrics${excepted === "" ? "" : ", but for the original's names"}`, async (t) => {
    const prometheus = need(t, findPrometheus())
    if (prometheus === undefined) return
    const folder = temporaryFolder(t)
    await folder.write("sites.yaml", "sites: []\n")
    await folder.write("kubeconfig", KUBECONFIG)
    const child = start(fedstack, args(folder.path), { PORTAL_AUTH_TOKEN: "token-of-this-test-4d1f" })
    t.after(() => child.stop())
    // the proxy's admin listener comes first
    const port = await until(
      `the ${name} to listen`,
      () => /msg=listening.*?127\.0\.0\.1:(\d+)/.exec(child.output())?.[1],
    )
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const checked = spawnSync(join(prometheus, "promtool"), ["check", "metrics"], { input: metrics, encoding: "utf8" })
    assert.match(metrics, /^fedstack_build_info\{/m)
    assert.deepEqual(
      { status: checked.status, said: checked.stderr + checked.stdout },
      { status: excepted === "" ? 0 : 3, said: excepted },
    )
  })
}
