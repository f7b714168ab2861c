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

const components: readonly (readonly [string, (folder: string) => Promise<readonly string[]> | readonly string[]])[] = [
  ["proxy", () => ["proxy", "--web.listen-address", LOCAL, "--admin.listen-address", LOCAL]],
  [
    "portal",
    (folder) => [
      ...["portal", "--web.listen-address", LOCAL, "--prometheus.config-dir", join(folder, "out")],
      ...["--sites.file", join(folder, "sites.yaml"), "--prometheus.url", "http://127.0.0.1:9"],
    ],
  ],
]

for (const [name, args] of components) {
  test(`promtool has nothing against the ${name}'s own metrics`, async (t) => {
    const prometheus = need(t, findPrometheus())
    if (prometheus === undefined) return
    const folder = temporaryFolder(t)
    await folder.write("sites.yaml", "sites: []\n")
    const child = start(fedstack, await args(folder.path), { PORTAL_AUTH_TOKEN: "token-of-this-test-4d1f" })
    t.after(() => child.stop())
    // the proxy's admin listener comes first
    const port = await until(
      `the ${name} to listen`,
      () => /msg=listening.*?127\.0\.0\.1:(\d+)/.exec(child.output())?.[1],
    )
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
    const checked = spawnSync(join(prometheus, "promtool"), ["check", "metrics"], { input: metrics, encoding: "utf8" })
    assert.match(metrics, /^fedstack_build_info\{/m)
    assert.deepEqual({ status: checked.status, said: checked.stderr + checked.stdout }, { status: 0, said: "" })
  })
}
