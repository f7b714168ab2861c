import { accessSync, constants } from "node:fs"
import { readFile } from "node:fs/promises"
import { delimiter, join } from "node:path"
import { chromium } from "playwright-core"

const root = join(import.meta.dirname, "..")
const source = join(root, "docs/overview.svg")
const target = join(root, "overview.png")
const NAMES = ["chromium", "chromium-browser", "google-chrome"]

function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter)
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Twice as many pixels as the drawing's own size, so that it stays sharp on fine screens. */
async function draw(executablePath: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
  })
  try {
    const page = await browser.newPage({ deviceScaleFactor: 2 })
    await page.setContent(`<body style="margin:0">${await readFile(source, "utf8")}</body>`)
    await page.locator("svg").screenshot({ path: target, omitBackground: true })
  } finally {
    await browser.close()
  }
}

const executable = findChromium()
if (executable === undefined) {
  process.stderr.write(
    `dev/overview: PATH has none of ${NAMES.join(", ")}. Install one (Debian, Ubuntu: apt-get install chromium fonts-inter).\n`,
  )
  process.exit(1)
}
await draw(executable)
process.stdout.write(`${target}: drawn from docs/overview.svg\n`)
