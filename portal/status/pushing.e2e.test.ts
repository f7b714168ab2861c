import assert from "node:assert/strict"
import { createHash } from "node:crypto"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { stringify } from "yaml"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus, startPrometheus } from "../../dev/testing/prometheus.ts"
import { startRecorder } from "../../dev/testing/remote-write/recorder.ts"
import { bodyOf, HEADERS, write } from "../../dev/testing/remote-write/write.ts"
import { until } from "../../dev/testing/until.ts"
import { ready, scratch, startDoor, startPortal, type TestPortal } from "../federation/testing.ts"
import { startTestProxy } from "../tenancy/remote-write/testing.ts"
import { fakeSites } from "./sites.testing.ts"

const TOKENS = { b: "zJ4kq0Xw7sPl2Vn8Tb5y", c: "pJ4kq0Xw7sPl2Vn8Tb5y" }
/** Of a site that never writes. */
const UNUSED = "qJ4kq0Xw7sPl2Vn8Tb5y"
type SiteName = keyof typeof TOKENS

interface Row {
  readonly name: string
  readonly state: string
  readonly cause: string | null
  readonly reason: string | null
  readonly todo: string | null
  readonly last_delivery: string | null
}

const rowsOf = async (url: string): Promise<readonly Row[]> =>
  ((await (await fetch(`${url}/api/v1/sites?sort=name`)).json()) as { readonly sites: readonly Row[] }).sites

const shown = ({ name, state, cause }: Row): string => `${name} ${state} ${cause}`

/** Waits until the sites are so, and shows how they are if they do not become so. */
async function shows(portal: TestPortal, ...expected: readonly string[]): Promise<readonly Row[]> {
  const names = expected.map((one) => one.split(" ", 1)[0])
  let rows: readonly Row[] = []
  await until("the states", async () => {
    rows = (await rowsOf(portal.url)).filter(({ name }) => names.includes(name))
    return rows.map(shown).join() === expected.join() ? true : undefined
  }).catch(() => undefined)
  assert.deepEqual(rows.map(shown), expected)
  return rows
}

/** The page has the same words as the API, and a state that is not known is none that is good. */
async function pageShows({ url }: TestPortal, name: string, state: string, words: string): Promise<void> {
  const list = await (await fetch(url)).text()
  assert.match(
    list,
    new RegExp(`<tr [^>]*data-site="${name}"[^>]*data-state="${state}"|<tr [^>]*data-state="${state}"`),
  )
  const page = await (await fetch(`${url}/sites/${name}`)).text()
  assert.ok(page.includes(words), `the page of ${name} lacks: ${words}`)
}

/** Writes one series five times a second until it is stopped. */
function startWriting(t: TestContext, url: () => string, site: SiteName) {
  let writes = true
  let own = false
  const statuses: number[] = []
  const send = async (): Promise<void> => {
    if (!writes) return
    const more = own ? [{ labels: { __name__: "own", job: "x" }, value: 1, timestamp: Date.now() }] : []
    const body = bodyOf([{ labels: { __name__: "up", job: "x" }, value: 1, timestamp: Date.now() }, ...more], 2)
    const headers = { ...HEADERS[2], authorization: `Bearer ${TOKENS[site]}` }
    const result = await write(`${url()}/api/v1/write`, body, headers).catch(() => undefined)
    statuses.push(result?.status ?? 0)
  }
  const timer = setInterval(() => void send(), 200)
  t.after(() => clearInterval(timer))
  return {
    statuses,
    set: (now: boolean) => void (writes = now),
    /** Whether it writes a series that is not shared, too. */
    writeOwn: (now: boolean) => void (own = now),
  }
}

test("shows sites that push beside one that is federated: what is known of them, why, and what to do", async (t) => {
  const prometheus = need(t, findPrometheus("3.5"))
  if (prometheus === undefined) return
  const fake = await fakeSites(t)
  const door = await startDoor(t)
  const folder = await scratch(t)

  // Prometheus comes last, as it is started with what the portal writes
  let prometheusPort = 1
  const relay = await startRecorder({ port: () => prometheusPort })
  t.after(() => relay.close())
  const sitesFile = (paused?: SiteName): string =>
    stringify({
      sites: [
        { name: "a", url: `${fake.url}/a`, interval: "1s", labels: { location: "a" }, token: { file: "token" } },
        ...(["b", "c"] as const).map((name) => ({
          ...{ name, labels: { location: name }, interval: "1s", match: ["up"] },
          push: { token: { sha256: createHash("sha256").update(TOKENS[name]).digest("hex") } },
          ...(paused === name ? { paused: { why: "moves house" } } : {}),
        })),
        { name: "d", push: { token: { sha256: createHash("sha256").update(UNUSED).digest("hex") } } },
      ],
    })
  await writeFile(join(folder, "token"), "s3cret-token")
  await writeFile(join(folder, "sites.yaml"), sitesFile())
  const startProxy = (port = 0) =>
    startTestProxy(t, [
      ...["--sites", join(folder, "sites.yaml"), "--port", String(port)],
      ...["--ingester-upstream-url", `${relay.url}/api/v1/write`],
    ])
  let proxy = await startProxy()
  const b = startWriting(t, () => proxy.url, "b")
  const c = startWriting(t, () => proxy.url, "c")

  const files = (paused?: SiteName) => ({
    token: "s3cret-token",
    "sites.yaml": sitesFile(paused),
    "base.yml": stringify({
      scrape_configs: [
        {
          ...{ job_name: "tenancy-proxy", scrape_interval: "1s", scrape_timeout: "1s" },
          static_configs: [{ targets: [`127.0.0.1:${proxy.port}`] }],
        },
      ],
    }),
  })
  let portal = await startPortal(t, files(), door.url, join(folder, "out"))
  await ready(portal)
  const receiver = await startPrometheus(prometheus, join(folder, "out/prometheus.yml"), [
    "--web.enable-remote-write-receiver",
  ])
  t.after(() => receiver.stop())
  prometheusPort = Number(new URL(receiver.url).port)
  door.leadTo(receiver.url)
  const begin = Date.now()
  const sitesAre = async (paused?: SiteName): Promise<void> => {
    await portal.write("sites.yaml", sitesFile(paused))
    await writeFile(join(folder, "sites.yaml"), sitesFile(paused))
    await proxy.running.reload()
  }
  const states = async (): Promise<readonly string[]> => {
    const text = await (await fetch(`${portal.url}/metrics`)).text()
    return [...text.matchAll(/^fedstack_portal_site_state\{site="([abc])",state="(.+)"\} 1$/gm)].map(
      ([, site, state]) => `${site} ${state}`,
    )
  }

  // all deliver
  {
    const rows = await shows(portal, "a ok null", "b ok null", "c ok null")
    for (const { last_delivery: last } of rows) assert.ok(Math.abs(Date.parse(last ?? "") - Date.now()) < 20_000)
    assert.deepEqual(await states(), ["a ok", "b ok", "c ok"])
    assert.deepEqual(
      (await receiver.query('up{job="x"}'))
        .map(({ metric }) => metric)
        .toSorted((one, other) => (String(one.site) < String(other.site) ? -1 : 1)),
      (["b", "c"] as const).map((site) => ({ __name__: "up", job: "x", location: site, site })),
    )
  }

  // one is paused: its writes are refused, the other's are not
  {
    await sitesAre("b")
    const [, row] = await shows(portal, "a ok null", "b paused null", "c ok null")
    assert.deepEqual([row?.reason, row?.todo], ["Paused: moves house", null])
    await until("a refusal", () => b.statuses.at(-1) === 503)
    await pageShows(portal, "b", "paused", "moves house")
    assert.deepEqual(await states(), ["a ok", "b paused", "c ok"])
    const from = Date.now()
    await sitesAre()
    await until("an accepted write", () => b.statuses.at(-1) === 204)
    await until("a delivery after it was resumed", async () => {
      const [, { last_delivery: last, state } = { last_delivery: null, state: "" }] = await rowsOf(portal.url)
      return state === "ok" && Date.parse(last ?? "") > from
    })
    assert.equal(new Set(c.statuses.slice(-10)).size, 1)
  }

  // one that has not written yet
  {
    const [row] = await shows(portal, "d waiting push_waiting")
    assert.match(row?.reason ?? "", /^The site has not written yet; it is listed since \d+ \w+ 20\d\d, [\d:]+ UTC\.$/)
    assert.equal(row?.todo, "Set up its Prometheus: the page of the site has the remote_write that it needs.")
  }

  // nothing is known while Prometheus is away
  {
    door.close()
    await shows(portal, "a unknown null", "b unknown null", "c unknown null")
    assert.deepEqual(await states(), ["a unknown", "b unknown", "c unknown"])
    assert.doesNotMatch(await (await fetch(portal.url)).text(), /<tr [^>]*data-state="ok"/)
    door.leadTo(receiver.url)
    await shows(portal, "a ok null", "b ok null", "c ok null")
  }

  const NOT_MEASURED = {
    reason: "It is not known whether the site writes: Prometheus has no metrics of the tenancy proxy for it.",
    todo: "Let Prometheus scrape fedstack tenancy-proxy, and start that with --sites and this sites.yaml.",
  }
  // nothing is known of those that push while the proxy is away
  {
    b.set(false)
    await proxy.running.close()
    const rows = await shows(portal, "a ok null", "b unknown push_not_measured", "c unknown push_not_measured")
    for (const { reason, todo } of rows.slice(1)) assert.deepEqual({ reason, todo }, NOT_MEASURED)
    await pageShows(portal, "b", "unknown", NOT_MEASURED.reason)
    assert.deepEqual(await states(), ["a ok", "b unknown", "c unknown"])
    proxy = await startProxy(proxy.port)
    await shows(portal, "a ok null", "b ok null", "c ok null")
  }

  /** As if the last write of b had been so many seconds ago when the portal was restarted, and d listed then. */
  async function restartedAfter(seconds: number): Promise<void> {
    await portal.child.stop()
    const memory = join(folder, "out/status.json")
    const noted = JSON.parse(await readFile(memory, "utf8")) as {
      sites: Record<SiteName, { delivered: number }> & { d: { listedSince: number } }
    }
    noted.sites.b.delivered = Date.now() / 1000 - seconds
    noted.sites.d.listedSince = Date.now() / 1000 - seconds
    await writeFile(memory, JSON.stringify(noted))
    portal = await startPortal(t, files(), door.url, join(folder, "out"))
  }

  // one that writes no more is late, then silent, also for a portal that is restarted
  {
    await restartedAfter(100)
    const [, late] = await shows(portal, "a ok null", "b stale push_late", "c ok null")
    assert.match(late?.reason ?? "", /^The site last wrote \d+ (?:seconds|min) ago, though it should every 1 second\.$/)
    assert.equal(
      late?.todo,
      "Wait: its Prometheus may be restarting, or catching up. If it stays, ask the site's admin for its log.",
    )
    await pageShows(portal, "b", "stale", late.reason ?? "none")
    await restartedAfter(700)
    const [never] = await shows(portal, "d down push_never")
    assert.match(never?.reason ?? "", /^The site has never written since it is listed, \d+ \w+ 20\d\d, [\d:]+ UTC\.$/)
    assert.equal(
      never?.todo,
      "Send the site's admin the token, if that was not done yet. The page of the site has the remote_write that it needs; its Prometheus logs why a write fails, as does the tenancy proxy: an unknown token is status 401.",
    )
    const [, silent] = await shows(portal, "a ok null", "b down push_silent", "c ok null")
    assert.match(silent?.reason ?? "", /^The site has not written since \d+ \w+ 20\d\d, [\d:]+ UTC\.$/)
    assert.equal(
      silent?.todo,
      "Ask the site's admin whether their Prometheus runs and reaches the portal, and whether its token is the one of sites.yaml, line 9. The page of the site has the remote_write that it needs; its Prometheus logs why a write fails, as does the tenancy proxy.",
    )
    await pageShows(portal, "b", "down", silent?.reason ?? "none")
    assert.deepEqual(await states(), ["a ok", "b down", "c ok"])
  }

  // what is not shared is set aside, and the rest is delivered
  {
    c.writeOwn(true)
    const [, , row] = await shows(portal, "a ok null", "b down push_silent", "c attention push_set_aside")
    assert.match(
      row?.reason ?? "",
      /^The site writes series that are not shared, or that its tenants do not have: they are set aside, [\d,]+ in ten minutes\.$/,
    )
    assert.equal(
      row?.todo,
      "Ask its admin to keep them back with write_relabel_configs, as the page of the site has them; or share them, by match in sites.yaml, line 18.",
    )
    await until("a partial write", () => c.statuses.at(-1) === 400)
    c.writeOwn(false)
  }

  // it delivers again
  {
    b.set(true)
    const [, row] = await shows(portal, "a ok null", "b ok null")
    assert.ok(Date.parse(row?.last_delivery ?? "") > begin)
    const output = portal.child.output() + proxy.log()
    for (const token of Object.values(TOKENS)) assert.ok(!output.includes(token), "a token stands in a log")
  }
})
