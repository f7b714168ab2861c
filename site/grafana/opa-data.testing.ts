import { join } from "node:path"
import type { TestContext } from "node:test"
import { start } from "../../dev/testing/child.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { startOpa } from "../../dev/testing/opa.ts"
import { until } from "../../dev/testing/until.ts"

const ROOT = join(import.meta.dirname, "../..")

/** Three OPAs of which one lacks an item and a path, and a fourth that is not there. Its address. */
export async function startOpaExporter(t: TestContext, folder: string, cluster: string): Promise<string> {
  const urls = ["http://127.0.0.1:1"]
  for (const count of [3, 3, 2]) {
    const opa = await startOpa(folder)
    t.after(() => opa.stop())
    const items = Array.from({ length: count }, (_, index) => [`item-${index}`, { metadata: { resourceVersion: "1" } }])
    await opa.put("kubernetes/namespaces", Object.fromEntries(items))
    await opa.put("kubernetes/services", { default: Object.fromEntries(items) })
    if (count === 3) await opa.put("kubernetes/ingresses", {})
    // of what cannot be compared
    await opa.ask("PUT", "/v1/policies/computed", "package computed\nnumber := 5\n")
    urls.push(opa.url)
  }
  const exporter = start(join(ROOT, "bin/fedstack"), [
    ...["exporter", "opa-data", "--web.listen-address=127.0.0.1:0", `--cluster-name=${cluster}`, "--opa-service=opa"],
    ...[
      "--opa-cluster-data=kubernetes/namespaces,computed/number",
      "--opa-namespaced-data=kubernetes/services,kubernetes/ingresses",
    ],
    // digests that come too late on a busy machine are made again at once
    ...["--interval=1", "--digest-budget=1", `--opa-token-file=${await temporaryFolder(t).write("token", "t0ken")}`],
    ...urls.map((url) => `--opa-url=${url}`),
  ])
  t.after(() => exporter.stop())
  return until("the exporter to listen", () => {
    if (exporter.process.exitCode !== null) throw new Error(exporter.output())
    return /msg=listening addresses=\S*?(127\.0\.0\.1:\d+)/.exec(exporter.output())?.[1]
  })
}
