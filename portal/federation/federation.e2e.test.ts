import assert from "node:assert/strict"
import { readdir, readFile, rename } from "node:fs/promises"
import { join } from "node:path"
import { suite, test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, type RunningPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { startFederatedPortal, startSite } from "./testing.ts"

const usage = (project: string, labels = "") => `project_vcpu_usage{project_name="${project}"${labels}} 5\n`
const site = (name: string, url: string, labels: string) =>
  `  - {name: ${name}, url: "${url}", interval: 1s, timeout: 1s, labels: ${labels}, token: {file: ${name}.token}}\n`

/** Series of a site that is gone or down are visible for five more minutes: only its target shows it. */
async function sitesThatDeliver({ url }: RunningPrometheus): Promise<ReadonlySet<string | undefined>> {
  const response = (await (await fetch(`${url}/api/v1/targets?state=active`)).json()) as {
    data: { activeTargets: { labels: Record<string, string>; health: string }[] }
  }
  const up = response.data.activeTargets.filter(({ health }) => health === "up")
  return new Set(up.map(({ labels }) => labels.site))
}

/** The usage of the sites that deliver, each series as its labels without those of the scrape. */
async function federated(prometheus: RunningPrometheus): Promise<readonly Record<string, string>[]> {
  const delivering = await sitesThatDeliver(prometheus)
  const series = await prometheus.query('{__name__=~"project_.*_usage"}')
  return series
    .filter(({ metric }) => delivering.has(metric.site))
    .map(({ metric: { instance: _instance, job: _job, __name__: _name, ...labels } }) => labels)
    .toSorted((a, b) => ((a.site ?? "") < (b.site ?? "") ? -1 : 1))
}

/** That the alerts expect to be scraped. */
async function sitesOf({ url }: { readonly url: string }): Promise<readonly (string | undefined)[]> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return [...text.matchAll(/^fedstack_portal_site_interval_seconds\{site="(.+)"\} 1$/gm)].map(([, name]) => name)
}

const delivers = (prometheus: RunningPrometheus, expected: readonly Record<string, string>[]) =>
  until(`exactly ${JSON.stringify(expected)}`, async () => {
    const now = await federated(prometheus)
    assert.deepEqual(now, expected)
    return now
  })

// most of the time they wait
suite("a portal with a real Prometheus", { concurrency: true }, () => {
  test("federates two sites with the portal's labels, also where one of them claims to be the other", async (t) => {
    const prometheus = need(t, findPrometheus())
    if (prometheus === undefined) return
    const honest = await startSite(t, prometheus, usage("a"))
    const lying = await startSite(t, prometheus, usage("b", ',site="site-a",location="x$1",location_id="1",code="7"'))
    honest.tokens.add("token-a")
    lying.tokens.add("token-b")
    const { prometheus: portal } = await startFederatedPortal(t, prometheus, {
      "site-a.token": "token-a\n",
      "site-b.token": "token-b",
      "sites.yaml": `sites:\n${site("site-a", honest.url, "{location: x$1, location_id: 1}")}${site("site-b", lying.url, "{location: 'y$1${2}$'}")}`,
    })
    await delivers(portal, [
      { site: "site-a", location: "x$1", location_id: "1", project_name: "a" },
      {
        site: "site-b",
        location: "y$1${2}$",
        exported_site: "site-a",
        exported_location: "x$1",
        exported_location_id: "1",
        code: "7",
        project_name: "b",
      },
    ])
  })

  test("applies a change of sites.yaml without a restart, and keeps the previous state after a bad one", async (t) => {
    const prometheus = need(t, findPrometheus())
    if (prometheus === undefined) return
    const [a, b] = await Promise.all([startSite(t, prometheus, usage("a")), startSite(t, prometheus, usage("b"))])
    a.tokens.add("token-a")
    b.tokens.add("token-b")
    const [onlyA, onlyB] = [site("site-a", a.url, "{}"), site("site-b", b.url, "{}")]
    const portal = await startFederatedPortal(t, prometheus, {
      "site-a.token": "token-a",
      "site-b.token": "token-b",
      "sites.yaml": `sites:\n${onlyA}`,
    })
    const output = join(portal.folder, "out")
    const [ofA, ofB] = [
      { site: "site-a", project_name: "a" },
      { site: "site-b", project_name: "b" },
    ]
    await delivers(portal.prometheus, [ofA])

    await portal.write("next.yaml", `sites:\n${onlyA}${onlyB}`)
    await rename(join(portal.folder, "next.yaml"), join(portal.folder, "sites.yaml")) // as editors do
    await delivers(portal.prometheus, [ofA, ofB])

    const before = await readFile(join(output, "prometheus.yml"), "utf8")
    await portal.write("sites.yaml", `sites:\n${onlyA}${onlyA}    colour: blue\n`)
    await until("the fault to show", async () =>
      (await portal.metric('fedstack_config_last_reload_successful{config="sites"}')) === 0 ? true : undefined,
    )
    assert.match(portal.child.output(), /level=error .*msg="\S*sites\.yaml:4:1: not valid YAML/)
    assert.equal(await readFile(join(output, "prometheus.yml"), "utf8"), before)
    assert.equal(await portal.metric("fedstack_portal_sites"), 2)
    await delivers(portal.prometheus, [ofA, ofB])

    assert.deepEqual(await sitesOf(portal), ["site-a", "site-b"])
    await portal.write("sites.yaml", `sites:\n${onlyB}`)
    await delivers(portal.prometheus, [ofB])
    await until("the token of the removed site to be gone", async () =>
      /^site-b\.[0-9a-f]{8}$/.test((await readdir(join(output, "tokens"))).join()) ? true : undefined,
    )
    assert.deepEqual(await sitesOf(portal), ["site-b"])
    assert.equal(await portal.metric('fedstack_config_last_reload_successful{config="sites"}'), 1)
    assert.doesNotMatch(portal.child.output(), /token-[ab]/)
  })

  test("applies a rotated token", async (t) => {
    const prometheus = need(t, findPrometheus())
    if (prometheus === undefined) return
    const a = await startSite(t, prometheus, usage("a"))
    a.tokens.add("old")
    const portal = await startFederatedPortal(t, prometheus, {
      "site-a.token": "old",
      "sites.yaml": `sites:\n${site("site-a", a.url, "{}")}`,
    })
    await delivers(portal.prometheus, [{ site: "site-a", project_name: "a" }])
    a.tokens.clear()
    await delivers(portal.prometheus, [])
    a.tokens.add("new")
    await portal.write("site-a.token", "new")
    await delivers(portal.prometheus, [{ site: "site-a", project_name: "a" }])
  })

  test("keeps the configuration that Prometheus accepted last where it refuses the new one, so that it can start again", async (t) => {
    const prometheus = need(t, findPrometheus())
    if (prometheus === undefined) return
    const portal = await startFederatedPortal(t, prometheus, {
      token: "token",
      "good.yml": "groups: []\n",
      "base.yml": "rule_files: [good.yml]\n",
      "sites.yaml": `sites:\n  - {name: a, url: "http://127.0.0.1:1", token: {file: token}}\n`,
    })
    const reloaded = (expected: number) =>
      until(`a reload with the result ${expected}`, async () =>
        (await portal.metric("fedstack_portal_prometheus_last_reload_successful")) === expected ? true : undefined,
      )
    const contents = () =>
      Promise.all(
        ["prometheus.yml", "rules/good.yml"].map((name) => readFile(join(portal.folder, "out", name), "utf8")),
      )
    await reloaded(1)
    const before = await contents()

    await portal.write("good.yml", "groups: [none]\n")
    await portal.write("base.yml", "rule_files: [good.yml]\nglobal: {nonsense: 1}\n")
    await reloaded(0)
    assert.match(portal.child.output(), /refused its new configuration/)
    await until("the configuration before", async () => {
      assert.deepEqual(await contents(), before)
      return true
    })
    await portal.write("good.yml", "groups: []\n")
    await portal.write("base.yml", "rule_files: [good.yml]\nglobal: {scrape_interval: 7s}\n")
    await reloaded(1)
    assert.match((await contents()).join(), /scrape_interval: 7s/)
  })
})
