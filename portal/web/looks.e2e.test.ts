import assert from "node:assert/strict"
import { test } from "node:test"
import type { BrowserContextOptions } from "playwright-core"
import type { SiteStatus } from "../status/overview.ts"
import { isFaultless, isLive, openPortal, screenshot, shownSites } from "./browser.testing.ts"
import { fakeBanner, fakeSite, fakeSites } from "./fake-sites.testing.ts"

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
const fitsWidth = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"

const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: {},
  dark: { colorScheme: "dark" },
  phone: PHONE,
  "phone-dark": { ...PHONE, colorScheme: "dark" },
  "small-phone": { ...PHONE, viewport: { width: 320, height: 640 } },
  "more-contrast": { contrast: "more" },
  "forced-colors": { forcedColors: "active" },
}

for (const [look, browser] of Object.entries(LOOKS)) {
  test(`the list and a site are whole, and without a fault of accessibility: ${look}`, async (t) => {
    const portal = await openPortal(t, { sites: 30, browser })
    if (portal === undefined) return
    const { page, url, source } = portal
    await isLive(portal)
    source.replace({ banners: [fakeBanner(), fakeBanner({ id: "config_refused", severity: "attention" })] })
    await page.locator("#banner").waitFor()
    assert.equal(await page.evaluate(fitsWidth), true)
    assert.ok(await page.evaluate("document.querySelector('#rows th a').offsetHeight < 30"), "a short name is broken")
    await screenshot(portal, `${look}-list`)
    await isFaultless(portal)
    await page.getByRole("link", { name: "aachen-1" }).click()
    await page.locator("#panel", { hasText: "aachen-1" }).waitFor()
    await screenshot(portal, `${look}-panel`)
    await isFaultless(portal)
    await page.goto(`${url}/sites/aachen-1`)
    await isLive(portal)
    assert.equal(await page.evaluate(fitsWidth), true)
    await screenshot(portal, `${look}-site`)
    await isFaultless(portal)
  })
}

test("a reader's choice of light or dark is kept", async (t) => {
  const portal = await openPortal(t, { sites: 2, browser: { colorScheme: "dark" } })
  if (portal === undefined) return
  const { page, url } = portal
  await isLive(portal)
  const background = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor")
  const dark = await background()
  await page.getByRole("button", { name: "Light or dark" }).click()
  const light = await background()
  assert.notEqual(light, dark)
  await isFaultless(portal)
  await page.goto(url)
  await isLive(portal)
  assert.equal(await background(), light)
})

test("without JavaScript the list, chips, sort, search, sites and checks work, and nothing is offered that would not", async (t) => {
  const portal = await openPortal(t, { sites: 30, browser: { javaScriptEnabled: false } })
  if (portal === undefined) return
  const { page, source, complaints } = portal
  assert.equal((await shownSites(portal)).length, 30)
  for (const button of await page.getByRole("button").all()) assert.equal(await button.isVisible(), false)
  await screenshot(portal, "no-script")
  await page.locator("#chips").getByRole("link", { name: "Stale" }).click()
  assert.deepEqual(await shownSites(portal), ["oldenburg-15", "marburg-13"])
  await page.getByRole("searchbox").fill("clock")
  await page.keyboard.press("Enter")
  await page.waitForURL(/q=clock/)
  assert.deepEqual(await shownSites(portal), ["oldenburg-15"])
  await page.getByRole("columnheader", { name: "Site" }).getByRole("link").click()
  await page.waitForURL(/sort=name/)
  await page.getByRole("link", { name: "oldenburg-15" }).click()
  await page.getByRole("heading", { name: "oldenburg-15" }).waitFor()
  assert.equal(await page.getByRole("button", { name: "Copy" }).count(), 0)
  await page.getByRole("button", { name: "Check now" }).click()
  await page.waitForURL(/#checks$/)
  assert.deepEqual(source.checks, ["oldenburg-15"])
  await page.getByRole("link", { name: "All sites" }).click()
  assert.equal((await shownSites(portal)).length, 30)
  assert.deepEqual(complaints(), [])
})

test("printed it says all in words, and leaves out what a hand on paper cannot press", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page } = portal
  await isLive(portal)
  await page.emulateMedia({ media: "print" })
  await screenshot(portal, "print")
  assert.equal(await page.locator("h1").isVisible(), true)
  for (const hidden of ["header", "#search", "#chips", "#again"])
    assert.equal(await page.locator(hidden).isVisible(), false, hidden)
  assert.match(await page.locator("#site-aachen-1").innerText(), /Not delivering[\s\S]*certificate expired 3 days ago/)
  await isFaultless(portal)
})

for (const [reducedMotion, animation] of [
  ["reduce", "none"],
  ["no-preference", "fade"],
] as const) {
  test(`a row that changed is marked by ${animation === "none" ? "no motion" : "one fade"} where a reader's choice is ${reducedMotion}`, async (t) => {
    const portal = await openPortal(t, { sites: 2, browser: { reducedMotion } })
    if (portal === undefined) return
    const { page, source } = portal
    await isLive(portal)
    source.change("bonn-2", { state: "down", reason: "Gone." })
    await page.locator("#site-bonn-2.new").waitFor()
    const style = "getComputedStyle(document.getElementById('site-bonn-2')).animation"
    const shown = await page.evaluate<string>(style)
    assert.ok(shown.includes(animation), shown)
    assert.equal(shown.includes("infinite"), false)
  })
}

const HOSTILE: Readonly<Record<string, string>> = {
  html: `"><img src=x onerror=alert(1)><script>alert(2)</script><svg onload=alert(3)>'\`\${alert(4)}`,
  closing: "</td></tr></table></template><script>alert(1)</script><!-- ",
  bidi: "\u202Eevil\u2066 \u2067text\u2069 \u200F\u061C",
  long: "x".repeat(100_000),
  "long words": "word ".repeat(20_000),
  control: "a\u0000b\u0007c\u001B[31md\r\ne\uD800f",
}

/** In every field of a site that comes from outside. */
function hostileSite(name: string, text: string): SiteStatus {
  return fakeSite(name, {
    state: "down",
    cause: text,
    causeTitle: text,
    reason: text,
    todo: text,
    labels: { location: text, [text.slice(0, 50)]: text },
    url: `https://${text}`,
    shard: text,
  })
}

for (const [kind, text] of Object.entries(HOSTILE)) {
  test(`hostile text in every field does nothing, and the page keeps its shape: ${kind}`, async (t) => {
    const sites = [hostileSite("a", text), hostileSite("b", text), ...fakeSites(2)]
    const portal = await openPortal(t, { sites, browser: { viewport: { width: 1280, height: 900 } } })
    if (portal === undefined) return
    const { page, source, url } = portal
    source.changeDetails("a", {
      match: [text],
      where: text,
      credentials: { kind: text, method: "bearer", file: text },
      tls: { caFile: text, certFile: text, keyFile: text, serverName: text },
      proxyUrl: text,
      paused: { by: text, why: text },
      changes: [{ at: new Date(0), until: new Date(0), count: 2, state: "down", cause: text, reason: text, text }],
    })
    source.replace({ banners: [fakeBanner({ id: text, message: text, todo: text }), fakeBanner({ message: text })] })
    await page.goto(url)
    await isLive(portal)
    source.change("a", { reason: `${text}!`, state: "stale" })
    await page.locator("#site-a[data-state=stale]").waitFor()
    assert.equal(await page.evaluate(fitsWidth), true, "the list is wider than the window")
    assert.ok(
      await page.evaluate("document.getElementById('site-a').offsetHeight < 400"),
      "one site takes the whole page",
    )
    await screenshot(portal, `hostile-${kind.replace(" ", "-")}`)
    await page.locator("#site-a th a").click()
    await page.locator("#panel #site").waitFor()
    assert.equal(await page.evaluate(fitsWidth), true)
    assert.ok(
      await page.evaluate("document.getElementById('panel').scrollWidth <= 562"),
      "the panel is wider than it is",
    )
    await screenshot(portal, `hostile-${kind.replace(" ", "-")}-panel`)
    await isFaultless(portal)
    await page.goto(`${url}/?q=${encodeURIComponent(text.slice(0, 150).toWellFormed())}&state=x`)
    await page.goto(`${url}/sites/${encodeURIComponent(text.slice(0, 60).toWellFormed())}`)
    // that there is no such site is its one complaint
    assert.deepEqual(
      portal.complaints().filter((complaint) => !/status of (?:404|400)/.test(complaint)),
      [],
    )
  })
}
