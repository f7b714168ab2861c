import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { temporaryFolder } from "../testing/folder.ts"
import { startBrokenSites, writeFiles } from "./broken-sites.ts"

test("each name becomes a site that fails, with what sites share of limits and of Prometheus' configuration", async (t) => {
  const broken = await startBrokenSites(["redirect", "too_many_series", "label_limit", "redirect"], "3.5.3+ds1")
  t.after(() => broken.close())
  assert.deepEqual(
    broken.sites.map(({ name, cause }) => [name, cause]),
    [
      ["broken-redirect", "redirect"],
      ["broken-too-many-series", "too_many_series"],
      ["broken-label-limit", "label_limit"],
    ],
  )
  assert.deepEqual([broken.limits, broken.global], [{ series: 400 }, { label_value_length_limit: 500 }])
  const response = await fetch(broken.sites[0]?.fault.entry.url ?? "", { redirect: "manual" })
  assert.equal(response.status, 302)
})

test("the files that entries name stand beside the sites file", async (t) => {
  const broken = await startBrokenSites(["tls_expired"], "2.42.0")
  t.after(() => broken.close())
  const { path } = temporaryFolder(t)
  await writeFiles(broken, path)
  const [site] = broken.sites
  const { tls } = (site?.fault.entry ?? {}) as { tls?: { ca_file: string } }
  assert.match(await readFile(join(path, tls?.ca_file ?? ""), "utf8"), /^-----BEGIN CERTIFICATE-----/)
})

test("what this Prometheus does not stumble over is refused", async () => {
  await assert.rejects(startBrokenSites(["no_type", "redirect", "label_limit"], "2.42.0+ds"), {
    name: "UsageError",
    message:
      "--break: no_type needs Prometheus 3.5 (this is 2.42.0+ds)\n--break: label_limit needs Prometheus 2.53 or 3.5 (this is 2.42.0+ds)",
  })
})
