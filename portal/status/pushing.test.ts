import assert from "node:assert/strict"
import { test } from "node:test"
import { listedSite } from "./testing.ts"
import { watch } from "./watched.testing.ts"

const pushing = (name: string, about = {}) =>
  listedSite(name, {
    url: "",
    pushes: { tenant: name },
    credentials: { kind: "a bearer token", method: "none", file: undefined },
    ...about,
  })

test("a site that pushes is shown by what the tenancy proxy reports of it, beside those that are scraped", async (t) => {
  const watched = await watch(t)
  const at = watched.now() / 1000
  watched.fake.pools.add("a")
  watched.fake.scrapes.set("a", [{ at, up: true, series: 7 }])
  watched.fake.writes = new Map([
    ["b", { last: at - 5, setAside: 0 }],
    ["c", { last: at - 900, setAside: 0 }],
    ["d", { last: 0, setAside: 0 }],
    ["e", { last: at - 5, setAside: 12 }],
    ["foreign", { last: at, setAside: 0 }],
  ])
  watched.list(listedSite("a"), pushing("b"), pushing("c"), pushing("d"), pushing("e"))
  const { sites, banners } = await watched.shows(
    "a ok",
    "b ok",
    "c down push_silent",
    "d waiting push_waiting",
    "e attention push_set_aside",
  )
  // Prometheus has no job for them, and is not missing one
  assert.deepEqual(banners, [])
  assert.equal(sites[1]?.lastDelivery?.getTime(), Math.round((at - 5) * 1000))
  assert.match(sites[2]?.reason ?? "", /^The site has not written since \d+ \w+ 20\d\d, [\d:]+ UTC\.$/)
  assert.equal(
    watched.fake.requests.some((request) => / [bcde]$/.test(request)),
    false,
  )
  assert.deepEqual(await watched.status.source.check("b", AbortSignal.timeout(1000)), { kind: "not_requested" })
  assert.match(await watched.metrics(), /fedstack_portal_site_state\{site="c",state="down"\} 1/)
})

test("is unknown, and never green, while Prometheus does not scrape the tenancy proxy", async (t) => {
  const watched = await watch(t)
  watched.list(pushing("b"))
  const { sites } = await watched.shows("b unknown (waiting) push_not_measured")
  assert.match(sites[0]?.reason ?? "", /^It is not known whether the site writes/)
  watched.fake.writes = new Map([["b", { last: watched.now() / 1000, setAside: 0 }]])
  watched.pass(6)
  await watched.shows("b ok")
  watched.fake.writes = undefined
  watched.pass(6)
  await watched.shows("b unknown (ok) push_not_measured")
})

test("a proxy that begins anew has seen no writes, and what was seen before counts on", async (t) => {
  const watched = await watch(t)
  watched.fake.writes = new Map([["b", { last: watched.now() / 1000, setAside: 0 }]])
  watched.list(pushing("b"))
  await watched.shows("b ok")
  watched.fake.writes = new Map([["b", { last: 0, setAside: 0 }]])
  watched.pass(200)
  await watched.shows("b stale push_late")
  watched.pass(200)
  await watched.shows("b down push_silent")
})

test("one that is paused is paused, whatever is known of it", async (t) => {
  const watched = await watch(t)
  watched.list(pushing("b", { paused: { why: "moves house" } }))
  const { sites } = await watched.shows("b paused")
  assert.equal(sites[0]?.reason, "Paused: moves house")
})
