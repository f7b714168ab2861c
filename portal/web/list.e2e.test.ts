import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../dev/testing/until.ts"
import { isFaultless, isLive, openPortal, screenshot, shownSites } from "./browser.testing.ts"

for (const sites of [2, 30, 1000]) {
  test(`a page of ${sites} sites shows all of them, and those in trouble first`, async (t) => {
    const portal = await openPortal(t, { sites })
    if (portal === undefined) return
    const { page } = portal
    await isLive(portal)
    const names = await shownSites(portal)
    assert.equal(names.length, sites)
    const states = await page.evaluate<readonly string[]>(
      "[...document.querySelectorAll('#rows > tr')].map(({ dataset }) => dataset.state)",
    )
    const order = ["down", "stale", "attention", "waiting", "ok", "paused"]
    assert.deepEqual(
      states,
      states.toSorted((one, other) => order.indexOf(one) - order.indexOf(other)),
    )
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true)
    await screenshot(portal, `sites-${sites}`)
    await isFaultless(portal)
  })
}

test("search narrows the list while one types, in the address too, and is one step back", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page, url } = portal
  await isLive(portal)
  const search = page.getByRole("searchbox", { name: "Search sites" })
  await search.pressSequentially("certificate location=aachen", { delay: 5 })
  await until("the list to be narrowed", async () => ((await shownSites(portal)).length === 1 ? true : undefined))
  assert.deepEqual(await shownSites(portal), ["aachen-1"])
  assert.equal(page.url(), `${url}/?q=certificate+location=aachen`)
  await isFaultless(portal)
  await search.fill("nothing of that name")
  await page.getByText("No site matches.").waitFor()
  await screenshot(portal, "no-match")
  await isFaultless(portal)
  await page.getByRole("link", { name: "Show all 30" }).click()
  assert.deepEqual([(await shownSites(portal)).length, page.url()], [30, `${url}/`])
  await page.goBack()
  await page.goBack()
  assert.deepEqual([(await shownSites(portal)).length, await search.inputValue(), page.url()], [30, "", `${url}/`])
})

test("a browser reads an address as the portal does, and shows no site where it is not understood", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page, url } = portal
  await isLive(portal)
  const shownAt = async (query: string): Promise<readonly string[]> => {
    await page.goto(url + query)
    await isLive(portal)
    return shownSites(portal)
  }
  const { sites } = (await (await fetch(`${url}/api/v1/sites?state=stale&state=paused`)).json()) as {
    sites: { name: string }[]
  }
  assert.equal(sites.length > 2, true)
  assert.deepEqual(
    await shownAt("/?state=stale&state=paused"),
    sites.map(({ name }) => name),
  )
  for (const query of [`/?q=${"x".repeat(201)}`, "/?state=down,bogus", "/?sort=bogus"])
    assert.deepEqual(await shownAt(query), [], query)
  await page.getByText("must be").waitFor()
  assert.equal((await shownAt("/")).length, 30)
})

test("chips filter without a request, and the back button undoes it", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page, url } = portal
  await isLive(portal)
  const requests: string[] = []
  // a browser looks at the favicon again, in its cache, with each address
  page.on("request", (request) => void (request.url().endsWith(".svg") || requests.push(request.url())))
  await page.locator("#chips").getByRole("link", { name: "Stale" }).click()
  assert.deepEqual(await shownSites(portal), ["oldenburg-15", "marburg-13"])
  assert.equal(await page.locator("#chips [aria-current]").innerText(), "Stale\n2")
  await page.locator("#reasons").getByRole("link", { name: "certificate expired" }).click()
  assert.deepEqual(await shownSites(portal), ["aachen-1", "kiel-11"])
  assert.equal(page.url(), `${url}/?reason=tls_expired`)
  await screenshot(portal, "reason")
  await isFaultless(portal)
  await page.goBack()
  assert.deepEqual(await shownSites(portal), ["oldenburg-15", "marburg-13"])
  await page.goBack()
  assert.equal((await shownSites(portal)).length, 30)
  await page.goForward()
  assert.deepEqual(await shownSites(portal), ["oldenburg-15", "marburg-13"])
  assert.deepEqual(requests, [])
})

test("a filtered list shows a site as soon as it matches, and hides it when it no longer does", async (t) => {
  const portal = await openPortal(t, { sites: 30, path: "/?state=stale" })
  if (portal === undefined) return
  const { source } = portal
  await isLive(portal)
  source.change("bonn-2", { state: "stale", since: new Date() })
  source.change("marburg-13", { state: "ok" })
  await until("the list to be right", async () =>
    (await shownSites(portal)).join() === "oldenburg-15,bonn-2" ? true : undefined,
  )
})

test("the choice of sort is kept in the browser, an address with another wins", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page, url } = portal
  await isLive(portal)
  await page.getByRole("columnheader", { name: "Series" }).getByRole("link").click()
  assert.equal((await shownSites(portal))[0], "vienna-21")
  assert.equal(await page.getByRole("columnheader", { name: "Series" }).getAttribute("aria-sort"), "descending")
  await isFaultless(portal)
  await page.goto(url)
  assert.equal((await shownSites(portal))[0], "vienna-21")
  assert.equal(page.url(), `${url}/?sort=series`)
  await page.goto(`${url}/?sort=-name`)
  assert.equal((await shownSites(portal))[0], "zurich-23")
  await page.getByRole("columnheader", { name: "State" }).getByRole("link").click()
  await page.goto(url)
  assert.equal((await shownSites(portal))[0], "aachen-1")
})

for (const sort of [
  "state",
  "-state",
  "name",
  "-name",
  "since",
  "-since",
  "last",
  "-last",
  "series",
  "-series",
  "duration",
  "-duration",
]) {
  test(`sorts by ${sort} as the portal does`, async (t) => {
    const portal = await openPortal(t, { sites: 30, path: `/?sort=${sort}` })
    if (portal === undefined) return
    const { url } = portal
    await isLive(portal)
    const { sites } = (await (await fetch(`${url}/api/v1/sites?sort=${sort}`)).json()) as { sites: { name: string }[] }
    assert.deepEqual(
      await shownSites(portal),
      sites.map(({ name }) => name),
    )
  })
}

test("a site opens as a panel under its own address; Esc closes it and gives the focus back", async (t) => {
  const portal = await openPortal(t, { sites: 30, path: "/?state=down" })
  if (portal === undefined) return
  const { page, url } = portal
  await isLive(portal)
  await page.getByRole("link", { name: "aachen-1" }).click()
  const panel = page.getByRole("complementary", { name: "Site" })
  await panel.getByRole("heading", { name: "aachen-1" }).waitFor()
  assert.equal(page.url(), `${url}/sites/aachen-1`)
  assert.equal((await shownSites(portal)).length, 6, "the list below keeps its filter")
  await screenshot(portal, "panel")
  await isFaultless(portal)
  await page.keyboard.press("Escape")
  await panel.waitFor({ state: "hidden" })
  assert.deepEqual([page.url(), await focused(portal)], [`${url}/?state=down`, "aachen-1"])
  await page.goForward()
  await panel.getByRole("heading", { name: "aachen-1" }).waitFor()
  await page.getByRole("button", { name: "Close" }).click()
  await panel.waitFor({ state: "hidden" })
})

test("the address of a site is a page of its own, which stays live", async (t) => {
  const portal = await openPortal(t, { sites: 30, path: "/sites/bonn-2" })
  if (portal === undefined) return
  const { page, source } = portal
  await isLive(portal)
  assert.equal(await page.title(), "bonn-2: delivering · fedstack")
  source.change("bonn-2", { state: "down", reason: "It is gone." })
  await page.getByText("It is gone.").first().waitFor()
  assert.equal(await page.title(), "bonn-2: not delivering · fedstack")
  await screenshot(portal, "site")
  await isFaultless(portal)
})

test("an open panel shows what changes, and keeps what was opened in it", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page, source } = portal
  await isLive(portal)
  await page.getByRole("link", { name: "aachen-1" }).click()
  const details = page.locator("#panel details").first()
  await details.locator("summary").click()
  source.change("aachen-1", { reason: "Now another." })
  await page.locator("#panel .lead", { hasText: "Now another." }).waitFor()
  assert.notEqual(await details.getAttribute("open"), null)
})

test("checks a site when a reader wants it, and says why not where it does not", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page, source } = portal
  await isLive(portal)
  await page.getByRole("link", { name: "bonn-2", exact: true }).click()
  const button = page.getByRole("button", { name: "Check now" })
  const status = page.locator("#checks [role=status]")
  await button.click()
  await status.filter({ hasText: "Checked." }).waitFor()
  assert.deepEqual(source.checks, ["bonn-2"])
  source.nextCheck({ kind: "too_soon", retryAfter: 7 })
  await button.click()
  await status.filter({ hasText: "it can be checked again in 7 s." }).waitFor()
  await screenshot(portal, "checked")
})

test("copies the command and the text for the site's admin", async (t) => {
  const portal = await openPortal(t, { sites: 30, browser: { permissions: ["clipboard-read", "clipboard-write"] } })
  if (portal === undefined) return
  const { page } = portal
  await isLive(portal)
  await page.getByRole("link", { name: "aachen-1" }).click()
  const button = page.locator("#panel button[data-copy]").first()
  const command = (await page.locator("#panel pre").first().textContent()) ?? ""
  await button.click()
  await page.getByRole("button", { name: "Copied" }).waitFor()
  assert.equal(await page.evaluate("navigator.clipboard.readText()"), command.trim())
  assert.match(command, /^\s*curl /)
})

test("all can be done by keyboard", async (t) => {
  const portal = await openPortal(t, { sites: 30 })
  if (portal === undefined) return
  const { page, url } = portal
  await isLive(portal)
  await page.keyboard.press("?")
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor()
  await screenshot(portal, "keys")
  await isFaultless(portal)
  await page.keyboard.press("Escape")
  await page.keyboard.press("/")
  await page.keyboard.type("delivering")
  await page.keyboard.press("Escape")
  await page.keyboard.press("/")
  await page.keyboard.press("ArrowDown")
  assert.equal(await focused(portal), "aachen-1")
  await page.keyboard.press("ArrowDown")
  await page.keyboard.press("ArrowDown")
  await page.keyboard.press("ArrowUp")
  assert.equal(await focused(portal), "kiel-11")
  await screenshot(portal, "keyboard")
  await page.keyboard.press("Enter")
  await page.locator("#panel", { hasText: "kiel-11" }).waitFor()
  assert.equal(page.url(), `${url}/sites/kiel-11`)
  await page.keyboard.press("Escape")
  await page.locator("#panel").waitFor({ state: "hidden" })
  assert.equal(await focused(portal), "kiel-11")
  // no other single keys: who speaks to a computer would press them by accident
  for (const key of ["j", "k", "s", "c", "r"]) await page.keyboard.press(key)
  assert.equal(page.url(), `${url}/`)
})

test("a reader reaches search, chips and sites with Tab alone", async (t) => {
  const portal = await openPortal(t, { sites: 2 })
  if (portal === undefined) return
  const { page } = portal
  await isLive(portal)
  const reached: string[] = []
  for (let presses = 0; presses < 25; presses++) {
    await page.keyboard.press("Tab")
    reached.push(await focused(portal))
  }
  for (const wanted of ["Skip to the content", "All 2", "aachen-1", "bonn-2", "Series"])
    assert.ok(reached.includes(wanted), `${wanted} is not among ${reached.join(", ")}`)
})

const focused = async ({ page }: { readonly page: { evaluate(script: string): Promise<unknown> } }): Promise<string> =>
  String(await page.evaluate("document.activeElement.innerText ?? ''"))
    .replace(/\s+/g, " ")
    .trim()
