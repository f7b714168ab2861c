import assert from "node:assert/strict"
import { readdir } from "node:fs/promises"
import { test } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import type { Site } from "../federation/sites.ts"
import type { Overview } from "./overview.ts"
import { type FakePrometheus, fakePrometheus, listedSite } from "./testing.ts"
import { watch, watchTwo } from "./watched.testing.ts"

const banners = ({ banners: found }: Overview): readonly string[] => found.map(({ id }) => id)

test("shows each site's state, with its cause by Prometheus' words", async (t) => {
  const watched = await watchTwo(t)
  const { sites, banners: none } = await watched.shows("a ok", "b down refused")
  assert.deepEqual(none, [])
  const [a, b] = sites
  assert.deepEqual([a?.series, a?.durationSeconds, a?.reason], [7, 0.1, null])
  assert.deepEqual([b?.series, b?.reason], [null, "Nothing listens on the site's address."])
  assert.deepEqual(a?.day.slice(-1), ["ok"])
  const [change] = watched.status.source.site("b")?.changes ?? []
  assert.deepEqual([change?.state, change?.cause, change?.text], ["down", "refused", "connection refused"])
})

test("shows no secret that a site sends back, and Prometheus cites", async (t) => {
  const watched = await watch(t)
  const at = watched.now() / 1000
  const error = 'expected label name, got "INVALID" while parsing: "authorization: Bearer s3cret-token"'
  watched.fake.pools.add("b")
  watched.fake.scrapes.set("b", [
    { at: at - 30, up: false, error },
    { at, up: false, error },
  ])
  const listed = listedSite("b", { url: "http://127.0.0.1:1" })
  const entry = { ...listed, url: new URL(listed.url), secretFile: "tokens/b" } as unknown as Site
  watched.list({ ...listed, entry })
  await watched.shows("b down broken")
  const { status, changes } = watched.status.source.site("b") ?? {}
  assert.match(JSON.stringify(changes), /Bearer …/)
  assert.doesNotMatch(JSON.stringify([status, changes]), /s3cret/)
})

test("keeps rows that did not change, and names those that did", async (t) => {
  const watched = await watchTwo(t)
  const before = await watched.shows("a ok", "b down refused")
  const changed = new Set<string>()
  const end = watched.status.source.subscribe((names) => names.forEach((name) => changed.add(name)))
  watched.fake.scrapes.set("b", [{ at: watched.now() / 1000, up: true }])
  const after = await watched.shows("a ok", "b ok")
  end()
  assert.equal(after.sites[0], before.sites[0])
  assert.deepEqual([...changed], ["b"])
})

test("shows unknown for all while Prometheus responds with anything else, and what is there when it is back", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  const faults: Readonly<Record<string, NonNullable<FakePrometheus["respond"]>>> = {
    garbage: (_, response) => response.end("<html>") !== undefined,
    "another API": (_, response) =>
      response.end('{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}') !== undefined,
    "401": (_, response) => response.writeHead(401).end() !== undefined,
    "503": (_, response) => response.writeHead(503).end("Service Unavailable") !== undefined,
    "a cut response": (_, response) =>
      response.writeHead(200, { "content-length": "1000" }).write("{", () => response.destroy()) || true,
    "a redirect": (_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end() !== undefined,
  }
  for (const [name, respond] of Object.entries(faults)) {
    watched.fake.respond = respond
    watched.pass(6)
    const overview = await watched.shows("a unknown (ok)", "b unknown (down) refused")
    assert.deepEqual(banners(overview), [name === "503" ? "prometheus_starting" : "prometheus_unreachable"], name)
    assert.doesNotMatch(await watched.metrics(), /site_cause\{|state="ok"\} 1/)
    watched.fake.respond = undefined
    const at = watched.now() / 1000
    watched.fake.scrapes.set("a", [{ at: at - 1, up: true }])
    watched.fake.scrapes.set("b", [{ at: at - 1, up: false }])
    assert.deepEqual(banners(await watched.shows("a ok", "b down refused")), [])
  }
  const reasons = watched.lines.flatMap((line) => /^warn .* reason="(.*)"$/.exec(line)?.[1] ?? [])
  // a fault may begin between two requests of a poll
  const plain = (reason: string): string =>
    reason
      .replace(/^\S+ responds/, "it responds")
      .replace("the response holds something else than expected", "the result of the query is no matrix")
  assert.deepEqual([...new Set(reasons.map((reason) => plain(reason)))].toSorted(), [
    "it responds with 302",
    "it responds with 401",
    "it responds with 503",
    "the response broke off",
    "the response is not JSON",
    "the result of the query is no matrix",
  ])
})

test("waits for all sites once Prometheus is back that was away for longer than their intervals", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  watched.fake.respond = () => true
  watched.pass(600)
  await watched.shows("a unknown (ok)", "b unknown (down) refused")
  watched.fake.respond = undefined
  const { sites } = await watched.shows("a waiting waiting", "b waiting waiting")
  assert.match(sites[0]?.reason ?? "", /^The site waits for its first scrape since /)
})

test("waits for a site, without a time, while Prometheus has not confirmed the configuration", async (t) => {
  const watched = await watchTwo(t, { confirmedAgo: null })
  watched.list(listedSite("a"), listedSite("b"), listedSite("c"))
  watched.pass(600)
  const { sites } = await watched.shows("a waiting waiting", "b waiting waiting", "c waiting waiting")
  assert.equal(sites[2]?.reason, "The site waits for its first scrape.")
})

test("shows unknown where Prometheus does not respond at all", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  watched.fake.respond = () => true
  watched.pass(6)
  await watched.shows("a unknown (ok)", "b unknown (down) refused")
})

test("moves the last 24 hours on while nothing is known", async (t) => {
  const watched = await watchTwo(t)
  const before = await watched.shows("a ok", "b down refused")
  watched.fake.respond = () => true
  watched.pass(3600)
  const { sites } = await watched.shows("a unknown (ok)", "b unknown (down) refused")
  const after = await until("the strip to move", () => {
    const [row] = watched.status.source.current().sites
    return row !== undefined && row.dayEnds > (before.sites[0]?.dayEnds ?? row.dayEnds) ? row : undefined
  })
  assert.deepEqual(after.day.slice(-5), ["ok", null, null, null, null])
  assert.equal(after.dayEnds.getTime() - (before.sites[0]?.dayEnds.getTime() ?? 0), 3_600_000)
  assert.deepEqual(sites[1]?.since, before.sites[1]?.since)
})

test("lives on the list of targets where Prometheus is an agent", async (t) => {
  const fake = await fakePrometheus(t)
  fake.respond = (path, response) =>
    path === "/api/v1/query" &&
    response
      .writeHead(422)
      .end('{"status":"error","errorType":"execution","error":"unavailable with Prometheus Agent"}') !== undefined
  const watched = await watchTwo(t, { fake })
  const { sites } = await watched.shows("a ok", "b attention one_scrape_failed")
  assert.equal(sites[0]?.series, null)
  watched.pass(30)
  const at = watched.now() / 1000
  fake.scrapes.set("a", [{ at, up: true }])
  fake.scrapes.set("b", [{ at, up: false }])
  await watched.shows("a ok", "b down refused")
})

test("an outage of Prometheus does not begin anew since when a site is in its state", async (t) => {
  const watched = await watchTwo(t)
  const since = async (...states: readonly string[]): Promise<readonly number[]> =>
    (await watched.shows(...states)).sites.map((site) => site.since.getTime())
  const scraped = (up: boolean): void => {
    const at = watched.now() / 1000
    watched.fake.scrapes.set("a", [{ at, up }])
    watched.fake.scrapes.set("b", [{ at, up: false }])
  }
  const before = await since("a ok", "b down refused")
  watched.fake.respond = () => true
  watched.pass(300)
  assert.deepEqual(await since("a unknown (ok)", "b unknown (down) refused"), before)
  watched.fake.respond = undefined
  await watched.shows("a waiting waiting", "b waiting waiting")
  watched.pass(5)
  scraped(true)
  assert.deepEqual(await since("a ok", "b down refused"), before)
  // what changes afterwards begins then
  watched.pass(30)
  scraped(false)
  await watched.shows("a attention one_scrape_failed", "b down refused")
  watched.pass(30)
  scraped(false)
  assert.notEqual((await since("a down refused", "b down refused"))[0], before[0])
})

test("takes no scrape of before a restart of Prometheus for a new one", async (t) => {
  const watched = await watch(t)
  watched.fake.pools.add("a")
  watched.fake.scrapes.set("a", [{ at: watched.now() / 1000 - 200, up: true }])
  watched.list(listedSite("a"))
  await watched.shows("a waiting waiting")
})

test("shows a site as not scraped where Prometheus has no job for it, and that it is another Prometheus", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  watched.fake.pools.delete("a")
  watched.pass(31)
  const at = watched.now() / 1000
  watched.fake.scrapes.set("b", [{ at, up: false }])
  assert.deepEqual(banners(await watched.shows("a down not_scraped", "b down refused")), ["jobs_missing"])
  watched.fake.pools.delete("b")
  watched.pass(31)
  assert.deepEqual(banners(await watched.shows("a down not_scraped", "b down not_scraped")), ["other_configuration"])
})

test("does not miss the job of a site while Prometheus begins with a new configuration", async (t) => {
  const watched = await watchTwo(t, { confirmedAgo: 5 })
  watched.list(listedSite("a"), listedSite("b"), listedSite("c"))
  await watched.shows("a ok", "b down refused", "c waiting waiting")
  watched.pass(40)
  await watched.shows("a ok", "b down refused", "c down not_scraped")
})

test("finds a cause that a fifth of the sites share, of those that are not paused", async (t) => {
  const watched = await watch(t)
  const at = watched.now() / 1000
  const names = Array.from({ length: 20 }, (_, index) => `s${index}`)
  const error = "lookup s.example.org on 127.0.0.1:53: no such host"
  const sites = names.map((name, index) => {
    watched.fake.pools.add(name)
    const up = index >= 3
    if (index < 15)
      watched.fake.scrapes.set(
        name,
        [40, 10].map((age) => ({ at: at - age, up, error })),
      )
    return listedSite(name, index < 15 ? {} : { paused: {} })
  })
  watched.list(...sites)
  const shared = () => watched.status.source.current().banners.find(({ id }) => id === "shared_cause")
  assert.match((await until("the banner", shared)).message, /^3 sites fail in the same way since /)
})

test("shows an older Prometheus without the list of jobs", async (t) => {
  const fake = await fakePrometheus(t)
  fake.respond = (path, response) => path === "/api/v1/scrape_pools" && response.writeHead(404).end() !== undefined
  const watched = await watchTwo(t, { fake })
  await watched.shows("a ok", "b down refused")
})

test("forgets a site that is removed, with its metrics, and waits for one that is added", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  watched.fake.pools.add("c")
  watched.pass(31)
  const at = watched.now() / 1000
  watched.fake.scrapes.set("a", [{ at, up: true }])
  watched.list(listedSite("a"), listedSite("c"))
  await watched.shows("a ok", "c waiting waiting")
  assert.equal(watched.status.source.site("b"), undefined)
  assert.doesNotMatch(await watched.metrics(), /site="b"/)
})

test("shows a paused site as such, whatever Prometheus does", async (t) => {
  const watched = await watchTwo(t)
  watched.list(listedSite("a"), listedSite("b", { paused: { by: "me", at: new Date(0), why: "it moves" } }))
  const { sites } = await watched.shows("a ok", "b paused")
  assert.equal(sites[1]?.reason, "Paused by me since 1 Jan 1970: it moves")
  watched.fake.respond = (_, response) => response.end("<html>") !== undefined
  watched.pass(6)
  await watched.shows("a unknown (ok)", "b paused")
})

test("goes on after a restart with what was remembered: unknown at first, then since when it is so", async (t) => {
  const folder = temporaryFolder(t).path
  const first = await watchTwo(t, { folder })
  const before = await first.shows("a ok", "b down refused")
  await first.status.close()
  first.fake.respond = (_, response) => response.writeHead(503).end() !== undefined
  const second = await watch(t, { folder, fake: first.fake })
  second.list(listedSite("a"), listedSite("b"))
  const meanwhile = await second.shows("a unknown (ok)", "b unknown (down) refused")
  assert.deepEqual(meanwhile.prometheusSeen, before.prometheusSeen)
  const { causeTitle, reason, todo } = meanwhile.sites[1] ?? {}
  assert.deepEqual(
    { causeTitle, reason, todo },
    {
      causeTitle: "connection refused",
      reason: before.sites[1]?.reason,
      todo: before.sites[1]?.todo,
    },
  )
  first.fake.respond = undefined
  const after = await second.shows("a ok", "b down refused")
  assert.deepEqual(after.sites[1]?.since, before.sites[1]?.since)
  assert.equal(second.status.source.site("b")?.changes.length, 1)
})

test("notes nothing in the folder of another portal", async (t) => {
  const { path } = temporaryFolder(t)
  const watched = await watchTwo(t, { folder: path, ownsFolder: false })
  await watched.shows("a ok", "b down refused")
  await watched.status.close()
  assert.deepEqual(await readdir(path), [])
})

test("goes on with what was remembered after a start with faulty files, of which only names are known", async (t) => {
  const folder = temporaryFolder(t).path
  const first = await watchTwo(t, { folder })
  const before = await first.shows("a ok", "b down refused")
  await first.status.close()
  const second = await watch(t, { folder, fake: first.fake })
  const nameless = [listedSite("a", { url: "" }), listedSite("b", { url: "" })]
  second.status.list({ sites: nameless, contents: new Map(), limits: undefined })
  await second.shows("a ok", "b down refused")
  await second.status.close()
  const third = await watch(t, { folder, fake: first.fake })
  third.list(listedSite("a"), listedSite("b"))
  const after = await third.shows("a ok", "b down refused")
  assert.deepEqual(after.sites[1]?.since, before.sites[1]?.since)
})

test("shows the faults of the configuration files", async (t) => {
  const watched = await watchTwo(t)
  watched.status.setFaults([{ where: "sites.yaml:3:5 sites[0].url", message: "is missing" }])
  await until("the banner", () =>
    banners(watched.status.source.current()).includes("sites_file_faulty") ? true : undefined,
  )
  watched.status.setFaults([])
  await until("no banner", () => (watched.status.source.current().banners.length === 0 ? true : undefined))
})

test("refuses to check a site that is not listed", async (t) => {
  const watched = await watchTwo(t)
  const { signal } = new AbortController()
  assert.deepEqual(await watched.status.source.check("x", signal), { kind: "unknown_site" })
})
