import { join } from "node:path"
import { fakeSites } from "../portal/web/fake-sites.testing.ts"
import { fakeSource } from "../portal/web/fake-source.testing.ts"
import { servePages } from "../portal/web/testing.ts"
import { findChromium, openBrowser } from "./testing/browser.ts"

/** As README.md shows it: the reader's browser chooses by what the reader prefers. */
export const SCHEMES = ["light", "dark"] as const
/** Of a laptop's window; with more dots, as README.md shows it smaller, on fine screens too. */
const VIEWPORT = { width: 1280, height: 860 }
const SCALE = 1.5

/** Draws the portal's page with 30 sites at a fixed moment, as Chromium shows it, to page-light.png and page-dark.png. */
export async function drawPage(chromium: string, folder: string): Promise<readonly string[]> {
  const pages = await servePages(fakeSource(fakeSites(30)))
  const browser = await openBrowser(chromium)
  try {
    const files: string[] = []
    for (const colorScheme of SCHEMES) {
      const page = await browser.newPage({
        viewport: VIEWPORT,
        deviceScaleFactor: SCALE,
        colorScheme,
        reducedMotion: "reduce",
        javaScriptEnabled: false, // times would go on
      })
      await page.goto(pages.url)
      const path = join(folder, `page-${colorScheme}.png`)
      await page.screenshot({ path })
      files.push(path)
    }
    return files
  } finally {
    await browser.close()
    await pages.close()
  }
}

/** Whether it is a PNG of the viewport's size that holds more than an empty page. */
export function isPage(png: Buffer): boolean {
  const [width, height] = [VIEWPORT.width * SCALE, VIEWPORT.height * SCALE]
  const isPng = png.subarray(1, 4).toString("latin1") === "PNG"
  return isPng && png.readUInt32BE(16) === width && png.readUInt32BE(20) === height && png.length > 100_000
}

if (import.meta.main) {
  const chromium = findChromium()
  if ("missing" in chromium) {
    process.stderr.write(`dev/screenshot: ${chromium.missing}\n`)
    process.exit(1)
  }
  for (const file of await drawPage(chromium.value, join(import.meta.dirname, "../docs")))
    process.stdout.write(`${file}\n`)
}
