import assert from "node:assert/strict"
import { test } from "node:test"
import { openTab } from "../../dev/testing/browser.ts"
import { until } from "../../dev/testing/until.ts"
import { isFaultless, isLive, openPortal, screenshot, shownSites } from "./browser.testing.ts"
import { fakeBanner, fakeSite, fakeSites } from "./fake-sites.testing.ts"
import { servePages } from "./testing.ts"

const DOWN = {
  state: "down",
  cause: "timeout",
  causeTitle: "no response in time",
  reason: "The site sends nothing within 30 s.",
  todo: "Ask the site to look at its load.",
} as const

test("states change live: the row in place, and all that sums up", async (t) => {
  const portal = await openPortal(t, { sites: 2 })
  if (portal === undefined) return
  const { page, source } = portal
  await isLive(portal)
  assert.equal(await page.title(), "1 of 2 sites doesn't deliver · fedstack")
  await page.evaluate("document.getElementById('site-bonn-2').ours = true")
  source.change("bonn-2", { ...DOWN, since: new Date() })
  await page.locator("#site-bonn-2[data-state=down]").waitFor()
  assert.equal(await page.locator("#site-bonn-2 .why b").textContent(), DOWN.reason)
  assert.equal(await page.evaluate("document.getElementById('site-bonn-2').ours"), true, "the row was replaced")
  assert.equal(await page.title(), "Neither of the 2 sites delivers · fedstack")
  assert.match(await page.locator("h1").innerText(), /^Neither of the 2 sites delivers\.$/)
  assert.match((await page.locator("#icon").getAttribute("href")) ?? "", /trouble/)
  assert.match(await page.locator("#chips").innerText(), /Not delivering\s+2/)
  await until("the status to be said", async () =>
    (await page.locator("#say").textContent()) === "bonn-2: Not delivering." ? true : undefined,
  )
  source.change("aachen-1", { state: "ok", cause: null, reason: null, todo: null })
  source.change("bonn-2", { state: "ok", cause: null, reason: null, todo: null })
  await page.locator("h1", { hasText: "Both sites deliver." }).waitFor()
  assert.match((await page.locator("#icon").getAttribute("href")) ?? "", /ok/)
  await isFaultless(portal)
  await screenshot(portal, "two")
})

test("sites come and go live", async (t) => {
  const portal = await openPortal(t, { sites: 2 })
  if (portal === undefined) return
  const { source, page } = portal
  await isLive(portal)
  source.replace({ sites: [...source.current().sites.slice(1), fakeSite("new-site", { state: "waiting" })] })
  await page.locator("#site-new-site").waitFor()
  assert.deepEqual(await shownSites(portal), ["new-site", "bonn-2"])
  source.replace({ sites: [] })
  await page.locator("h1", { hasText: "No sites are listed yet." }).waitFor()
  assert.deepEqual(await shownSites(portal), [])
  await isFaultless(portal)
})

test("nothing is green while Prometheus cannot be requested", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { source, page } = portal
  await isLive(portal)
  source.replace({
    banners: [fakeBanner()],
    sites: source.current().sites.map((site) => ({ ...site, state: "unknown", lastState: site.state })),
  })
  await page.locator("#banner").waitFor()
  assert.equal(await page.locator("#rows > tr:not([data-state=unknown])").count(), 0)
  assert.equal(await page.locator("#rows .s-ok").count(), 0)
  await isFaultless(portal)
  await screenshot(portal, "unknown")
})

test("rows that are being read stay where they are, until a button sorts them", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { source, page } = portal
  await isLive(portal)
  const before = await shownSites(portal)
  await page.locator("#site-bonn-2").hover()
  source.change("bonn-2", { ...DOWN, since: new Date(0) })
  const button = page.getByRole("button", { name: "1 moved: sort again" })
  await button.waitFor()
  assert.deepEqual(await shownSites(portal), before)
  await screenshot(portal, "moved")
  await isFaultless(portal)
  await button.click()
  assert.equal((await shownSites(portal))[0], "bonn-2")
  assert.equal(await button.isVisible(), false)
})

test("rows are sorted at once when they are not being read", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { source } = portal
  await isLive(portal)
  source.change("bonn-2", { ...DOWN, since: new Date(0) })
  await until("the row to be first", async () => ((await shownSites(portal))[0] === "bonn-2" ? true : undefined))
})

test("8 tabs of a browser share one stream, and each can still send requests", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { context, source, url } = portal
  let streams = 0
  context.on("request", (request) => void (request.url().includes("/api/v1/events") && streams++))
  const tabs = [portal, ...(await Promise.all(Array.from({ length: 7 }, () => openTab(t, context))))]
  await Promise.all(tabs.slice(1).map(({ page }) => page.goto(url)))
  await Promise.all(tabs.map(isLive))
  source.change("bonn-2", DOWN)
  await Promise.all(tabs.map(({ page }) => page.locator("#site-bonn-2[data-state=down]").waitFor()))
  const status = await Promise.all(
    tabs.map(({ page }) => page.evaluate("fetch('/api/v1/summary').then((r) => r.status)")),
  )
  assert.deepEqual(
    status,
    Array.from(tabs, () => 200),
  )
  assert.ok(streams <= 1, `${streams} streams`)
  for (const tab of tabs) assert.deepEqual(tab.complaints(), [])
})

test("without a shared worker 8 tabs work too: only the one that is seen has a stream", async (t) => {
  const portal = await openPortal(t, { sites: 2, path: "/sites/none" })
  if (portal === undefined) return
  const { context, source, url } = portal
  await context.addInitScript("delete globalThis.SharedWorker")
  const tabs = await Promise.all(Array.from({ length: 8 }, () => openTab(t, context)))
  // headless tabs are all visible: seven of them get events that they are not
  for (const { page } of tabs.slice(1))
    await page.addInitScript("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
  await Promise.all(tabs.map(({ page }) => page.goto(url)))
  const [first, second] = tabs
  assert.ok(first !== undefined && second !== undefined)
  await isLive(first)
  source.change("bonn-2", DOWN)
  await first.page.locator("#site-bonn-2[data-state=down]").waitFor()
  assert.equal(await second.page.locator("#site-bonn-2").getAttribute("data-state"), "ok")
  await second.page.evaluate(
    "Object.defineProperty(document, 'hidden', { value: false }), document.dispatchEvent(new Event('visibilitychange'))",
  )
  await second.page.locator("#site-bonn-2[data-state=down]").waitFor()
  for (const tab of tabs) assert.deepEqual(tab.complaints(), [])
})

test("a page that gets no stream requests what changed", async (t) => {
  const portal = await openPortal(t, { sites: 2, path: "/sites/none" })
  if (portal === undefined) return
  const { context, page, source, url } = portal
  await context.route("**/api/v1/events*", (route) => route.fulfill({ status: 204 }))
  await page.addInitScript("delete globalThis.SharedWorker")
  const html = await (await fetch(url)).text()
  source.change("aachen-1", { state: "stale" })
  await until("the change to be known", async () =>
    (await (await fetch(`${url}/api/v1/changes`)).text()).includes("Stale") ? true : undefined,
  )
  await page.route(`${url}/`, (route) => route.fulfill({ body: html, contentType: "text/html" }))
  await page.goto(url)
  await page.locator("#site-aachen-1[data-state=stale]").waitFor()
  await isLive(portal)
})

test("a page whose connection is lost says so and since when, and is live again when it can", async (t) => {
  const portal = await openPortal(t, { sites: 2 })
  if (portal === undefined) return
  const { page, source, url } = portal
  await isLive(portal)
  await portal.portal.close()
  const lost = page.locator("#lost")
  await lost.waitFor()
  assert.match(await lost.innerText(), /^Not live since \d\d:\d\d UTC\. Retrying\.$/)
  assert.equal(await page.locator("#live").textContent(), "Not live")
  assert.equal(await page.title(), "Not live: 1 of 2 sites doesn't deliver · fedstack")
  const color = (selector: string): Promise<string> =>
    page.evaluate(`getComputedStyle(document.querySelector("${selector}")).color`)
  assert.equal(await color("#site-bonn-2 .s-ok"), await color(".sub"), "it is green, though it is not known")
  await screenshot(portal, "lost")
  source.change("bonn-2", DOWN)
  const again = await servePages(source, { now: () => new Date(), port: Number(new URL(url).port) })
  t.after(() => again.close())
  await page.locator("#site-bonn-2[data-state=down]").waitFor()
  await isLive(portal)
  assert.equal(await lost.isVisible(), false)
})

for (const [name, response] of [
  ["401", { status: 401 }],
  ["a redirect to a login", { status: 302, headers: { location: "/login" } }],
] as const) {
  test(`a session that is over ends in one sentence, not in a loop: ${name}`, async (t) => {
    const portal = await openPortal(t, { sites: 2, path: "/sites/none" })
    if (portal === undefined) return
    const { context, page, url } = portal
    let requests = 0
    await page.addInitScript("delete globalThis.SharedWorker")
    await context.route("**/api/v1/{events,changes}*", (route) => {
      requests++
      return route.fulfill(response)
    })
    await page.goto(url)
    await page.locator("#lost", { hasText: "Signed out. Reload." }).waitFor()
    assert.equal(await page.locator("#live").textContent(), "Signed out")
    const before = requests
    await page.clock.install()
    await page.clock.fastForward("10:00")
    assert.equal(requests, before)
  })
}

test("memory does not grow with changes", async (t) => {
  const portal = await openPortal(t, { sites: 100 })
  if (portal === undefined) return
  const { page, source } = portal
  await isLive(portal)
  const elements = (): Promise<number> => page.evaluate<number>("document.querySelectorAll('*').length")
  const before = await elements()
  for (let round = 0; round < 3; round++) {
    const state = round % 2 === 0 ? "stale" : "ok"
    source.replace({ sites: fakeSites(100, new Date()).map((site) => ({ ...site, state })) })
    await page.locator(`#rows > tr[data-state=${state}]`).nth(99).waitFor()
  }
  assert.ok((await elements()) <= before + 10)
})
