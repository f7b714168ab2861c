import assert from "node:assert/strict"
import { after, type TestContext } from "node:test"
import type { Browser, BrowserContextOptions } from "playwright-core"
import type { SiteStatus } from "../status/overview.ts"
import { accessibilityFaults, findChromium, openBrowser, openTab, type Tab } from "../../dev/testing/browser.ts"
import { need } from "../../dev/testing/component.ts"
import { fakeSites } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import { servePages } from "./testing.ts"

const now = (): Date => new Date()

let browser: Promise<Browser> | undefined
after(async () => (await browser)?.close())

export interface OpenOptions {
  /** How many, or which. */
  readonly sites: number | readonly SiteStatus[]
  readonly path?: string
  readonly browser?: BrowserContextOptions
}

/** The page in a real browser, of sites that the test changes; undefined where there is no browser. */
export async function openPortal(t: TestContext, { sites, path = "/", browser: options }: OpenOptions) {
  const chromium = need(t, findChromium())
  if (chromium === undefined) return undefined
  browser ??= openBrowser(chromium)
  const source = fakeSource(typeof sites === "number" ? fakeSites(sites, now()) : sites, now)
  const pages = await servePages(source, { now })
  t.after(() => pages.close())
  const tab = await openTab(t, await browser, options)
  await tab.page.goto(pages.url + path)
  return { ...tab, source, portal: pages, url: pages.url }
}

/** The page is accessible to all, and the browser found nothing wrong. */
export async function isFaultless({ page, complaints }: Pick<Tab, "page" | "complaints">): Promise<void> {
  assert.deepEqual(await accessibilityFaults(page), [])
  assert.deepEqual(complaints(), [])
}

/** For people to look at: into the folder that FEDSTACK_TEST_SCREENSHOTS names. */
export async function screenshot({ page }: Pick<Tab, "page">, name: string): Promise<void> {
  const { FEDSTACK_TEST_SCREENSHOTS: folder } = process.env
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` })
}

/** The names of the sites that the table shows, in its order. */
export async function shownSites({ page }: Pick<Tab, "page">): Promise<readonly string[]> {
  return page.locator("#rows > tr:not([hidden]) th a").allTextContents()
}

export const isLive = ({ page }: Pick<Tab, "page">): Promise<void> =>
  page.locator("#live[data-standing=live]").waitFor()
