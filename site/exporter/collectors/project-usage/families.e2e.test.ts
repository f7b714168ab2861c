import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type TestContext, test } from "node:test"
import { stringify } from "yaml"
import { compile } from "#core/promql/compiled.ts"
import { containedInAny } from "#core/promql/containment.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { type Child, start } from "../../../../dev/testing/child.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findPrometheus, type RunningPrometheus, startPrometheus } from "../../../../dev/testing/prometheus.ts"
import { until } from "../../../../dev/testing/until.ts"

const FEDSTACK = join(import.meta.dirname, "../../../../bin/fedstack")
const TOKEN = "token-of-the-portal"
const SHARED = '{job="project_usages",__name__=~"project_.*_usage"}'
/** A server that lives: usage grows by this many vCPU hours in a second. */
const PER_SECOND = 36
const CLOUD = `
[elixir]
domain_id = "d"
[[elixir.projects]]
project_name = "lab"
project_id = "p"
machines = [{ cpus = ${PER_SECOND * 3600}, ram = 1, existence = true }]
`

test(
  "increase() at the portal is the true usage, over outages and restarts of the exporter",
  { timeout: 120_000 },
  async (t) => {
    const folder = need(t, findPrometheus())
    if (folder === undefined) return
    const chain = await startChain(t, folder)
    const [first] = await until("usage at the portal", () =>
      samples(chain.portal).then((all) => (all.length > 2 ? all : undefined)),
    )
    assert.ok(first)

    // an outage and a restart, with the state file; then a restart by SIGKILL
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await chain.exporter.stop(signal)
      const silent = Date.now()
      await until("two seconds of silence", () => (Date.now() - silent > 2000 ? true : undefined))
      await chain.restart()
      const back = Date.now() / 1000
      await until("usage again", async () =>
        ((await samples(chain.portal)).at(-1)?.at ?? 0) > back ? true : undefined,
      )
    }
    // and a cloud that cannot be read for a while: the last values stay, and then catch up
    await chain.breakCloud()
    await until("a failure", async () => (/collector_up\{.*\} 0/.test(await chain.scrape()) ? true : undefined))
    await chain.mendCloud()
    const mended = Date.now() / 1000
    await until("usage once more", async () =>
      ((await samples(chain.portal)).at(-1)?.at ?? 0) > mended + 1 ? true : undefined,
    )

    const all = await samples(chain.portal)
    const last = all.at(-1)
    assert.ok(last)
    // as a biller computes from raw samples: nothing fell, so that the sum of rises is the last minus the first
    let rises = 0
    for (const [index, { value }] of all.entries()) {
      const before = all[index - 1]?.value ?? value
      assert.ok(value >= before, `usage fell from ${before} to ${value}`)
      rises += value - before
    }
    // each sample was current when it was scraped but for an update interval: 1 s at the site, at either end of the time
    const truth = PER_SECOND * (last.at - first.at)
    const tolerance = PER_SECOND * 1.5
    assert.ok(Math.abs(rises - truth) < tolerance, `${rises}, not ${truth} within ${tolerance}`)
    // increase() lays its line through the same samples, and lengthens it to the window: here by nothing but its ends
    const window = Math.ceil(last.at - first.at)
    const [counted] = await at(chain.portal, `increase(project_vcpu_usage{site="a"}[${window}s])`, last.at)
    const extrapolated = (rises * window) / (last.at - first.at)
    const value = Number(counted?.value[1])
    assert.ok(Math.abs(value - extrapolated) <= (rises / (last.at - first.at)) * 1.1, `${value}, not ${extrapolated}`)
  },
)

interface Sample {
  readonly at: number
  readonly value: number
}

/** All raw samples of the project at the portal. */
async function samples(prometheus: RunningPrometheus): Promise<readonly Sample[]> {
  const found = (await prometheus.query('project_vcpu_usage{site="a"}[10m]')) as unknown as readonly {
    values: readonly (readonly [number, string])[]
  }[]
  assert.ok(found.length < 2, "the project is one series")
  return (found[0]?.values ?? []).map(([moment, value]) => ({ at: moment, value: Number(value) }))
}

async function at(prometheus: RunningPrometheus, query: string, time: number) {
  const search = new URLSearchParams({ query, time: String(time) }).toString()
  const response = await fetch(`${prometheus.url}/api/v1/query?${search}`)
  const { data } = (await response.json()) as { data: { result: readonly { value: [number, string] }[] } }
  return data.result
}

/** Exporter, site's Prometheus, proxy, portal's Prometheus; each second a step. */
async function startChain(t: TestContext, folder: string) {
  const files = temporaryFolder(t)
  const cloud = await files.write("cloud.toml", CLOUD)
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Child => {
    const child = start(FEDSTACK, args, env)
    t.after(() => child.stop())
    return child
  }
  const exporterArgs = (port: string): readonly string[] => [
    ...["exporter", "project-usage", "--dummy-data", cloud, "--start", "2026-01-01", "--update-interval", "1s"],
    ...["--state-file", join(files.path, "state.json"), "--web.listen-address", `127.0.0.1:${port}`],
  ]
  const listening = (child: Child, number = 1): Promise<string> =>
    until("it to listen", () => {
      if (child.process.exitCode !== null) throw new Error(child.output())
      return [...child.output().matchAll(/msg=listening addresses=\S*?127\.0\.0\.1:(\d+)/g)][number - 1]?.[1]
    })
  let exporter = run(exporterArgs("0"))
  const port = await listening(exporter)
  const prometheus = async (name: string, job: object): Promise<RunningPrometheus> => {
    const config = { global: { scrape_interval: "1s", scrape_timeout: "1s" }, scrape_configs: [job] }
    const running = await startPrometheus(folder, await files.write(name, stringify(config)))
    t.after(() => running.stop())
    return running
  }
  const site = await prometheus("site.yml", {
    job_name: "project_usages",
    metrics_path: "/",
    static_configs: [{ targets: [`127.0.0.1:${port}`] }],
  })
  const proxy = run(
    ["proxy", `--upstream=${site.url}`, "--web.listen-address=127.0.0.1:0", "--admin.listen-address=127.0.0.1:0"],
    { PORTAL_AUTH_TOKEN: TOKEN },
  )
  const portal = await prometheus("portal.yml", {
    job_name: "a",
    honor_labels: true,
    metrics_path: "/federate",
    params: { "match[]": [SHARED] },
    authorization: { credentials: TOKEN },
    static_configs: [{ targets: [`127.0.0.1:${await listening(proxy, 2)}`], labels: { site: "a" } }],
  })
  return {
    portal,
    isDown: async (): Promise<boolean> => (await site.query('up{job="project_usages"} == 0')).length > 0,
    get exporter() {
      return exporter
    },
    async restart(): Promise<void> {
      exporter = run(exporterArgs(port))
      await listening(exporter)
    },
    scrape: async (): Promise<string> => (await fetch(`http://127.0.0.1:${port}/`)).text(),
    breakCloud: () => files.write("cloud.toml", `${CLOUD}broken`),
    mendCloud: () => files.write("cloud.toml", CLOUD),
  }
}

test("the shared selector includes the families that are billed, and their twins only where it is widened", async () => {
  const golden = await readFile(join(import.meta.dirname, "testdata/openstack.prom"), "utf8")
  const names = [...golden.matchAll(/^# TYPE (\S+)/gm)].map(([, name = ""]) => name)
  const compiled = (text: string) => compile(parseSelector(text))
  const sharedBy = (...allowed: readonly string[]): readonly string[] =>
    names.filter(
      (name) => containedInAny(allowed.map(compiled), compiled(`${name}{job="project_usages"}`)).kind === "contained",
    )
  assert.deepEqual(sharedBy(SHARED), ["project_vcpu_usage", "project_mb_usage"])
  const page = await readFile(join(import.meta.dirname, "../../../../docs/project-usage.md"), "utf8")
  const documented = [...page.matchAll(/--allow '(.*)'/g)].map(([, selector = ""]) => selector)
  assert.deepEqual(sharedBy(...documented), [
    "project_vcpu_usage",
    "project_mb_usage",
    "openstack_project_vcpu_seconds_total",
    "openstack_project_memory_byte_seconds_total",
  ])
})
