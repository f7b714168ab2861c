import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import test, { type TestContext } from "node:test"
import { stringify } from "yaml"
import { parseSelector } from "#core/promql/parse.ts"
import { need } from "../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus } from "../../../dev/testing/prometheus.ts"
import { startSender } from "../../../dev/testing/remote-write/sender.ts"
import { startRecorder } from "../../../dev/testing/remote-write/recorder.ts"
import { until } from "../../../dev/testing/until.ts"
import { keepShared } from "../../sites/remote-write-config.ts"
import { startTestProxy } from "./testing.ts"

const MATCH = ['test_gauge{number!="2"}', 'up{job="test"}', "test_requests_total"]
const TOKENS = { "site-a": "zJ4kq0Xw7sPl2Vn8Tb5y", "site-b": "pJ4kq0Xw7sPl2Vn8Tb5y" }
type SiteName = keyof typeof TOKENS

const hashOf = (token: string): string => createHash("sha256").update(token).digest("hex")

/** Two sites that push; `paused`: one of them. */
const sitesFile = (paused?: SiteName): string =>
  stringify({
    sites: (["site-a", "site-b"] as const).map((name) => ({
      ...{ name, labels: { location: `city of ${name}` }, match: MATCH },
      push: { token: { sha256: hashOf(TOKENS[name]) }, tenant: name },
      ...(paused === name ? { paused: { why: "moves house" } } : {}),
    })),
  })

/** The receiver, a real Prometheus, with a tenancy proxy before it that accepts the two sites. */
async function startPortal(t: TestContext, folder: string) {
  const files = temporaryFolder(t)
  const receiver = await startPrometheus(folder, await files.write("prometheus.yml", "{}"), [
    "--web.enable-remote-write-receiver",
  ])
  t.after(() => receiver.stop())
  const recorder = await startRecorder({ port: () => Number(new URL(receiver.url).port) })
  t.after(() => recorder.close())
  const file = await files.write("sites.yaml", sitesFile())
  const upstream = `${recorder.url}/api/v1/write`
  const proxy = await startTestProxy(t, ["--sites", file, "--ingester-upstream-url", upstream])
  return { receiver, recorder, proxy, files }
}

const authorization = async (files: ReturnType<typeof temporaryFolder>, name: SiteName) => ({
  credentials_file: await files.write(`${name}.token`, `${TOKENS[name]}\n`),
})

const SENDERS = [
  { forging: "2.53", relabelling: "3.5" },
  { forging: "3.5", relabelling: "2.53" },
] as const

for (const { forging, relabelling } of SENDERS) {
  test(`two sites with the same series push, with Prometheus ${forging} that forges labels and ${relabelling} that keeps back what is not shared`, async (t) => {
    const [a, b] = [need(t, findPrometheus(forging)), need(t, findPrometheus(relabelling))]
    const newest = need(t, findPrometheus("3.5"))
    if (a === undefined || b === undefined || newest === undefined) return
    const { receiver, recorder, proxy, files } = await startPortal(t, newest)
    const versionOf = (version: string): 1 | 2 => (version === "3.5" ? 2 : 1)
    const url = `${proxy.url}/api/v1/write`
    const siteA = await startSender(t, a, {
      ...{ url, version: versionOf(forging), tenants: ["site-b"] },
      // whatever it says, it is site-a
      externalLabels: { site: "site-b", location: "forged", exported_site: "twice" },
      remoteWrite: { authorization: await authorization(files, "site-a") },
    })
    const siteB = await startSender(t, b, {
      ...{ url, version: versionOf(relabelling), tenants: [""] },
      remoteWrite: {
        authorization: await authorization(files, "site-b"),
        write_relabel_configs: keepShared(MATCH.map(parseSelector)),
      },
    })
    await until("both to have arrived", async () => {
      const found = await receiver.query('count by (site) (test_gauge{number="1"})')
      return found.length === 2 ? true : undefined
    })
    await siteA.finish()
    await siteB.finish()

    const everything = '{__name__=~".+",__name__!="test_vanishing"}'
    const arrived = await receiver.query(`last_over_time(${everything}[5m])`)
    const shown = arrived.map(({ metric }) => {
      const { __name__, number, site, ...others } = metric
      return JSON.stringify([site, __name__ ?? "", number ?? "", others])
    })
    const own = { instance: "test", job: "test" }
    const forged = { ...own, exported_exported_site: "twice", exported_location: "forged", exported_site: "site-b" }
    const labelsOf = {
      "site-a": { ...forged, location: "city of site-a" },
      "site-b": { ...own, location: "city of site-b" },
    }
    const tenantOf = { "site-a": { tenant_id: "site-b" }, "site-b": {} }
    const expected = (["site-a", "site-b"] as const).flatMap((site) =>
      [
        ["test_gauge", "0"],
        ["test_gauge", "1"],
        ["test_requests_total", ""],
        ["up", ""],
      ].map(([name, number]) => {
        const more = name === "up" ? {} : tenantOf[site]
        return JSON.stringify([site, name, number, sortKeys({ ...labelsOf[site], ...more })])
      }),
    )
    const parsed = shown.map((text) => {
      const [site, name, number, others] = JSON.parse(text) as [string, string, string, Record<string, string>]
      return JSON.stringify([site, name, number, sortKeys(others)])
    })
    assert.deepEqual(parsed.toSorted(), expected.toSorted())

    // each in its own tenant, whatever tenant its labels name
    for (const request of recorder.requests) {
      const series = request.elements().filter(({ kind }) => kind !== "metadata")
      const sites = new Set(series.map(({ labels: { site } }) => site))
      assert.deepEqual([...sites], sites.size === 0 ? [] : [request.tenant])
    }
    // who keeps back what is not shared is refused nothing; who does not is told
    assert.equal(await siteB.metric("prometheus_remote_storage_samples_failed_total"), 0)
    assert.match(siteA.prometheus.child.output(), /none of the selectors of site-a selects it/)
    const exposition = await (await fetch(`${proxy.url}/metrics`)).text()
    assert.match(exposition, /fedstack_tenancy_proxy_sender_last_write_timestamp_seconds\{sender="site-a"\} 1\d{9}/)
    assert.match(exposition, /fedstack_tenancy_proxy_sender_set_aside_series_total\{sender="site-b"\} 0\n/)
  })
}

test("a site that is paused is refused with the reason, and its token is known again when it is resumed", async (t) => {
  const folder = need(t, findPrometheus("3.5"))
  if (folder === undefined) return
  const { receiver, proxy, files } = await startPortal(t, folder)
  await files.write("sites.yaml", sitesFile("site-a"))
  await proxy.running.reload()
  const siteA = await startSender(t, folder, {
    ...{ url: `${proxy.url}/api/v1/write`, version: 2, tenants: [""] },
    remoteWrite: { authorization: await authorization(files, "site-a") },
  })
  await until("the refusal", () => /site-a is paused \(moves house\)/.test(siteA.prometheus.child.output()))
  assert.deepEqual(await receiver.query("last_over_time(test_gauge[5m])"), [])
  await files.write("sites.yaml", sitesFile())
  await proxy.running.reload()
  await until("series of the site", async () => (await receiver.query('up{site="site-a"}')).length === 1)
})

const sortKeys = (record: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1)))
