import { accessSync, constants } from "node:fs"
import { delimiter, join } from "node:path"
import type { TestContext } from "node:test"
import axe from "axe-core"
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core"
import type { Found } from "./component.ts"

/** In PATH, as Debian's package puts it there. */
export function findChromium(): Found<string> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, "chromium")
    try {
      accessSync(file, constants.X_OK)
      return { value: file }
    } catch {
      continue
    }
  }
  return { missing: "no chromium in PATH: apt-get install chromium" }
}

/** A browser for all tests of a file. */
export function openBrowser(executablePath: string): Promise<Browser> {
  // root, as in containers, cannot have Chromium's own sandbox
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : []
  return chromium.launch({ executablePath, args })
}

export interface Tab {
  readonly page: Page
  readonly context: BrowserContext
  /** What the browser complained of until now: errors, what the content security policy refused, requests to elsewhere. */
  readonly complaints: () => readonly string[]
}

/** A tab in a profile of its own, closed after the test. Another tab of the profile: openTab(test, tab.context). */
export async function openTab(
  test: TestContext,
  from: Browser | BrowserContext,
  options: BrowserContextOptions = {},
): Promise<Tab> {
  const context = "newContext" in from ? await from.newContext(options) : from
  if ("newContext" in from) test.after(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`)
  })
  page.on("pageerror", (error) => complaints.push(String(error)))
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on("request", (request) => {
    const { protocol, hostname } = new URL(request.url())
    if (protocol.startsWith("http") && hostname !== "127.0.0.1") complaints.push(`request: ${request.url()}`)
  })
  return { page, context, complaints: () => complaints }
}

/** What axe finds wrong on the page, a line each. Playwright evaluates it past the content security policy. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source)
  return page.evaluate<readonly string[]>(`axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html.slice(0, 200), failureSummary].join(": "))))`)
}
