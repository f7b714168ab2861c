import assert from "node:assert/strict"
import { createServer } from "node:http"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { listen } from "../../dev/testing/listen.ts"
import { findPrometheus, type RunningPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import { type FakeSites, fakeSites } from "../status/sites.testing.ts"
import { homeOf } from "./shards.ts"
import { type Door, ready, scratch, startDoor, startPortal, type TestPortal } from "./testing.ts"

const NAMES = Array.from({ length: 40 }, (_, index) => `site-${String(index).padStart(2, "0")}`)
const SHARDS = ["a", "b"]
const at = (shard: string): readonly string[] => NAMES.filter((name) => homeOf(name, SHARDS) === shard)

const sitesFile = (url: string, pins: Readonly<Record<string, string>> = {}, names = NAMES): string =>
  `sites:\n${names
    .map(
      (name) =>
        `  - {name: ${name}, url: "${url}/${name}", interval: 1s, labels: {location: ${name}}, token: {file: token}${name in pins ? `, shard: ${pins[name]}` : ""}}\n`,
    )
    .join("")}`

interface Stack {
  readonly portal: TestPortal
  readonly sites: FakeSites
  readonly prometheus: Readonly<Record<"a" | "b", RunningPrometheus>>
  readonly doors: Readonly<Record<"a" | "b", Door>>
  /** Active alerts by their labels, as Alertmanager has them. */
  readonly alerts: () => readonly string[]
  /** Another process for the same folders. */
  restart(pins: Readonly<Record<string, string>>): Promise<TestPortal>
}

/** A portal with the shipped rules, which wait for nothing here, two Prometheus of different versions and 40 sites. */
async function startStack(t: TestContext): Promise<Stack | undefined> {
  const [older, newer] = [need(t, findPrometheus("2.53")), need(t, findPrometheus("3.5"))]
  if (older === undefined || newer === undefined) return undefined
  const active = new Map<string, number>()
  const alertmanager = createServer((request, response) => {
    request.setEncoding("utf8")
    let body = ""
    request.on("data", (chunk: string) => (body += chunk))
    request.on("end", () => {
      for (const { labels, endsAt } of JSON.parse(body) as { labels: Record<string, string>; endsAt: string }[])
        active.set(
          JSON.stringify(Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1))),
          Date.parse(endsAt),
        )
      response.end()
    })
  })
  const sites = await fakeSites(t)
  const out = await scratch(t)
  const doors = { a: await startDoor(t), b: await startDoor(t) }
  const rules = await readFile(join(import.meta.dirname, "../prometheus/rules/sites.yml"), "utf8")
  const base = (portal: string): string =>
    JSON.stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: ["sites-rules.yml"],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanagerAt] }] }] },
      scrape_configs: [{ job_name: "portal", static_configs: [{ targets: [portal] }] }],
    })
  const alertmanagerAt = `127.0.0.1:${await listen(t, alertmanager)}`
  const flags = SHARDS.map((name) => `--prometheus.shard=${name}=${doors[name as "a"].url},${join(out, name)}`)
  const files = (portal: string, pins: Readonly<Record<string, string>> = {}) => ({
    token: "s3cret-token",
    "sites.yaml": sitesFile(sites.url, pins),
    "sites-rules.yml": rules.replaceAll(/for: \w+/g, "for: 0s"),
    "base.yml": base(portal),
  })
  const portal = await startPortal(t, files("127.0.0.1:1"), undefined, undefined, flags)
  await portal.write("base.yml", base(new URL(portal.url).host))
  await ready(portal)
  const run = async (folder: string, name: "a" | "b") => {
    const config = join(out, name, "prometheus.yml")
    await until(`the configuration of ${name}`, async () => (await readFile(config, "utf8")) !== "" || undefined)
    const running = await startPrometheus(folder, config)
    t.after(() => running.stop())
    doors[name].leadTo(running.url)
    return running
  }
  const prometheus = { a: await run(older, "a"), b: await run(newer, "b") }
  return {
    portal,
    sites,
    prometheus,
    doors,
    alerts: () =>
      [...active]
        .filter(([, end]) => end > Date.now())
        .map(([labels]) => labels)
        .toSorted(),
    async restart(pins) {
      await portal.child.stop()
      const listened = new URL(portal.url).host
      const again = await startPortal(t, files(listened, pins), undefined, undefined, [
        ...flags,
        `--web.listen-address=${listened}`,
      ])
      await ready(again)
      return again
    },
  }
}

interface Row {
  readonly name: string
  readonly state: string
  readonly shard: string
}

const rowsOf = async ({ url }: TestPortal): Promise<readonly Row[]> =>
  ((await (await fetch(`${url}/api/v1/sites?sort=name`)).json()) as { readonly sites: readonly Row[] }).sites

/** Waits until all sites are so. */
async function shows(portal: TestPortal, state: (name: string) => string): Promise<void> {
  const expected = NAMES.map((name) => `${name} ${state(name)}`)
  let rows: readonly string[] = []
  await until(
    "the states",
    async () => {
      rows = (await rowsOf(portal)).map((row) => `${row.name} ${row.state} ${row.shard}`)
      return rows.join() === expected.join() ? true : undefined
    },
    60,
  ).catch(() => undefined)
  assert.deepEqual(rows, expected)
}

const jobsOf = async ({ url }: RunningPrometheus): Promise<readonly string[]> => {
  const body = (await (await fetch(`${url}/api/v1/scrape_pools`)).json()) as { data: { scrapePools: string[] } }
  return body.data.scrapePools.filter((name) => name !== "portal").toSorted()
}

/** Seconds of Unix time of the samples of `up`. */
async function samplesOf(running: RunningPrometheus, site: string): Promise<readonly number[]> {
  const [series] = (await running.query(`up{site="${site}"}[5m]`)) as unknown as { values: [number, string][] }[]
  return (series?.values ?? []).map(([time]) => time)
}

const labels = (...pairs: readonly (readonly [string, string])[]): string => JSON.stringify(pairs)

test("two Prometheus share 40 sites: each scrapes its own, rules alert once, one that is down is one banner", async (t) => {
  const stack = await startStack(t)
  if (stack === undefined) return
  const { portal, sites, prometheus, doors, alerts } = stack
  await shows(portal, (name) => `ok ${homeOf(name, SHARDS)}`)
  assert.deepEqual([await jobsOf(prometheus.a), await jobsOf(prometheus.b)], [at("a"), at("b")])

  const [ofA = "", ofB = ""] = [at("a")[0], at("b")[0]]
  for (const name of [ofA, ofB]) sites.responses.set(name, 503)
  const down = (site: string): string => labels(["alertname", "SiteDown"], ["severity", "critical"], ["site", site])
  const expected = [down(ofA), down(ofB)].toSorted()
  await until("one alert for each", () => (alerts().join() === expected.join() ? true : undefined), 60).catch(
    () => undefined,
  )
  assert.deepEqual(alerts(), expected)
  for (const name of [ofA, ofB]) sites.responses.delete(name)
  await until("no alert", () => (alerts().length === 0 ? true : undefined), 60).catch(() => undefined)
  assert.deepEqual(alerts(), [])

  doors.b.close()
  await shows(portal, (name) => (homeOf(name, SHARDS) === "a" ? "ok a" : "unknown b"))
  const page = await (await fetch(portal.url)).text()
  assert.match(page, new RegExp(`It is not known whether ${at("b").length} of the 40 sites deliver\\.`))
  assert.match(page, /The portal cannot request Prometheus b at http:[^<]*<\/b> <span>[^<]*The states of its \d+ sites/)
  assert.doesNotMatch(page, /more thing/)
  const unreachable = labels(["alertname", "PortalShardUnreachable"], ["prometheus", "b"], ["severity", "critical"])
  await until("the other one to alert", () => (alerts().join() === unreachable ? true : undefined), 60).catch(
    () => undefined,
  )
  assert.deepEqual(alerts(), [unreachable])
  doors.b.leadTo(prometheus.b.url)
  await shows(portal, (name) => `ok ${homeOf(name, SHARDS)}`)

  await portal.child.stop()
  for (const running of Object.values(prometheus))
    await until("each to alert", async () =>
      (await running.query('ALERTS{alertname="PortalDown",alertstate="firing"}')).length > 0 ? true : undefined,
    )
  await until("Alertmanager to know", () => (alerts().some((one) => one.includes("PortalDown")) ? true : undefined))
  const instance = new URL(portal.url).host
  assert.deepEqual(
    alerts().filter((one) => one.includes("PortalDown")),
    [labels(["alertname", "PortalDown"], ["instance", instance], ["job", "portal"], ["severity", "warning"])],
  )
})

test("a site that moves is scraped by both for an interval, without a gap, also where the portal restarts meanwhile", async (t) => {
  const stack = await startStack(t)
  if (stack === undefined) return
  const { portal, sites, prometheus, doors } = stack
  await shows(portal, (name) => `ok ${homeOf(name, SHARDS)}`)
  const [moving = "", other = ""] = at("a")
  const states = new Set<string>()
  const watching = new AbortController()
  const watch = async (): Promise<void> => {
    while (!watching.signal.aborted) {
      for (const { name, state } of await rowsOf(portal)) states.add(name === moving ? state : "")
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  const watched = watch()
  await portal.write("sites.yaml", sitesFile(sites.url, { [moving]: "b" }))
  await until("the old one to leave it", async () => ((await jobsOf(prometheus.a)).includes(moving) ? undefined : true))
  watching.abort()
  await watched
  const [before, after] = [await samplesOf(prometheus.a, moving), await samplesOf(prometheus.b, moving)]
  // for an interval at least both have samples
  assert.equal((before.at(-1) ?? 0) - (after[0] ?? Infinity) >= 0.9, true, JSON.stringify({ before, after }))
  const times = [...before, ...after].toSorted((x, y) => x - y)
  assert.deepEqual(
    times.filter((time, index) => time - (times[index - 1] ?? time) > 1.5),
    [],
  )
  assert.deepEqual([...states].toSorted(), ["", "ok"])
  await shows(portal, (name) => `ok ${name === moving ? "b" : homeOf(name, SHARDS)}`)

  // b is away: the old one keeps the site, over a restart of the portal too
  doors.b.close()
  await portal.write("sites.yaml", sitesFile(sites.url, { [moving]: "b", [other]: "b" }))
  await until("b to be asked for it", () =>
    portal.child.output().includes("reloading Prometheus failed") ? true : undefined,
  )
  const again = await stack.restart({ [moving]: "b", [other]: "b" })
  await until("the site to be known", async () =>
    (await rowsOf(again)).some(({ name, state, shard }) => name === other && state === "ok" && shard === "a")
      ? true
      : undefined,
  )
  assert.equal((await jobsOf(prometheus.a)).includes(other), true)
  doors.b.leadTo(prometheus.b.url)
  await until(
    "the old one to leave it",
    async () => ((await jobsOf(prometheus.a)).includes(other) ? undefined : true),
    60,
  )
  const [left, arrived] = [await samplesOf(prometheus.a, other), await samplesOf(prometheus.b, other)]
  assert.equal((left.at(-1) ?? 0) - (arrived[0] ?? Infinity) >= 0.9, true, JSON.stringify({ left, arrived }))
})

test("a Prometheus that hangs on reload does not hold the other", async (t) => {
  const stack = await startStack(t)
  if (stack === undefined) return
  const { portal, sites, prometheus, doors } = stack
  await shows(portal, (name) => `ok ${homeOf(name, SHARDS)}`)
  doors.b.hangOnReload(prometheus.b.url)
  const pins = { "new-a": "a", "new-b": "b" }
  await portal.write("sites.yaml", sitesFile(sites.url, pins, [...NAMES, "new-a", "new-b"]))
  await until("the other one to have its new site", async () =>
    (await jobsOf(prometheus.a)).includes("new-a") ? true : undefined,
  )
  assert.equal((await jobsOf(prometheus.b)).includes("new-b"), false)
  doors.b.leadTo(prometheus.b.url)
})
