import assert from "node:assert/strict"
import { join } from "node:path"
import { after, test } from "node:test"
import type { Browser } from "playwright-core"
import { accessibilityFaults, findChromium, openBrowser, openTab } from "../../dev/testing/browser.ts"
import { need } from "../../dev/testing/component.ts"
import { findPrometheus } from "../../dev/testing/prometheus.ts"
import { startFederatedPortal, startPortal } from "../federation/testing.ts"
import { fakeSites } from "../status/sites.testing.ts"
import { isLive } from "./browser.testing.ts"

let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())

test("the page of a real portal with a real Prometheus: a site breaks, is checked, and the portal restarts", async (t) => {
  const prometheus = need(t, findPrometheus())
  const chromium = need(t, findChromium())
  if (prometheus === undefined || chromium === undefined) return
  const { url, responses } = await fakeSites(t)
  const site = (name: string): string =>
    `  - {name: ${name}, url: "${url}/${name}", interval: 1s, labels: {location: ${name}}, token: {file: token}}\n`
  const files = { token: "s3cret-token", "sites.yaml": `sites:\n${["a", "b", "c"].map(site).join("")}` }
  const portal = await startFederatedPortal(t, prometheus, files)
  browser ??= openBrowser(chromium)
  const tab = await openTab(t, await browser)
  const { page } = tab
  await page.goto(portal.url)
  await isLive(tab)
  await page.locator("h1", { hasText: "All 3 sites deliver." }).waitFor()
  await page.evaluate("window.ours = true")

  responses.set("b", 401)
  await page.locator("#site-b[data-state=down]").waitFor()
  assert.equal(
    await page.locator("#site-b .why b").textContent(),
    "The site does not accept the portal's credentials (401).",
  )
  assert.equal(await page.title(), "1 of 3 sites doesn't deliver · fedstack")
  assert.equal(await page.evaluate("window.ours"), true, "the page was loaded again")

  await page.goto(`${portal.url}/sites/b`)
  await page.getByRole("button", { name: "Check now" }).click()
  await page.getByText("401 to a bearer token", { exact: false }).first().waitFor()
  assert.doesNotMatch(await page.content(), /s3cret/)

  await page.goto(portal.url)
  await isLive(tab)
  await portal.child.stop()
  await page.locator("#live:not([data-standing=live])").waitFor()
  const port = new URL(portal.url).port
  await startPortal(t, files, portal.door.url, join(portal.folder, "out"), [`--web.listen-address=127.0.0.1:${port}`])
  await isLive(tab)
  await page.locator("#site-a[data-state=ok]").waitFor()
  responses.delete("b")
  await page.locator("h1", { hasText: "All 3 sites deliver." }).waitFor()
  await page.goto(`${portal.url}/?state=down`)
  assert.match(await page.locator("main").innerText(), /No site matches/)
  assert.deepEqual(await accessibilityFaults(page), [])
  // the browser reports each request that found no portal, or that came too soon
  assert.deepEqual(
    tab.complaints().filter((complaint) => !/^Failed to load resource|net::ERR_/.test(complaint)),
    [],
  )
})
