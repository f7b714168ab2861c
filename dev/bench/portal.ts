import { get, type IncomingMessage } from "node:http"
import { once } from "node:events"
import { loadavg } from "node:os"
import { setTimeout as delay } from "node:timers/promises"
import type { Page } from "playwright-core"
import { readNumbers } from "../testing/arguments.ts"
import { findChromium, openBrowser } from "../testing/browser.ts"
import { findPrometheus } from "../testing/prometheus.ts"
import { until } from "../testing/until.ts"
import { type Sites, startSites } from "./portal-sites/sites.ts"
import { type Stack, startStack } from "./portal-sites/stack.ts"
import { residentOf } from "./proxy-peers/load.ts"

const { sites: ONLY, quick: QUICK } = readNumbers(
  "dev/bench/portal",
  "measures the portal with 10, 100 and 1,000 simulated sites.",
  { sites: { help: "one size alone (default 0: all three)", default: 0, least: 0 } },
  { quick: "10 and 100 sites alone" },
)
const SIZES = ONLY > 0 ? [ONLY] : QUICK ? [10, 100] : [10, 100, 1000]
const [PAGES, BROKEN, REQUESTS] = [100, 100, 300]
/** Seconds after which it gives up, with what it has. */
const LONGEST = 480
/** What is promised for 1,000 sites. */
const MOST = { configure: 2, paint: 1, kilobytes: 120, change: 2, diagnosis: 15, p99: 50, memory: 200 }

const say = (line: string): void => void process.stdout.write(`${line}\n`)

interface Row {
  readonly name: string
  readonly state: string
}
const rowsOf = async ({ url }: Stack): Promise<readonly Row[]> =>
  ((await (await fetch(`${url}/api/v1/sites`)).json()) as { sites: Row[] }).sites

const delivering = ({ url }: Stack, count: number) =>
  until(
    `${count} sites to deliver`,
    async () => {
      const { counts } = (await (await fetch(`${url}/api/v1/summary`)).json()) as { counts: { ok: number } }
      if (counts.ok === count) return true
      await delay(250)
      return undefined
    },
    120,
  )

/** Milliseconds, of requests one after the other. */
async function p99Of({ url }: Stack): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < REQUESTS; index++) {
    const begin = performance.now()
    await (await fetch(`${url}/api/v1/sites`)).arrayBuffer()
    times.push(performance.now() - begin)
  }
  return times.toSorted((a, b) => a - b)[Math.ceil(REQUESTS * 0.99) - 1] ?? Number.NaN
}

interface Seen {
  /** Seconds to the first paint of a browser with an empty cache. */
  readonly paint: number
  /** On the wire. */
  readonly kilobytes: number
  /** Seconds from when Prometheus knows of the first failed scrape of a site until the open page shows it. */
  readonly change: number
}

/** What a browser sees; undefined without Chromium. */
async function seenIn(stack: Stack, sites: Sites): Promise<Seen | undefined> {
  const chromium = findChromium()
  if ("missing" in chromium) return undefined
  const browser = await openBrowser(chromium.value)
  try {
    const page = await (await browser.newContext()).newPage()
    await page.goto("about:blank")
    const session = await page.context().newCDPSession(page)
    let bytes = 0
    session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength))
    await session.send("Network.enable")
    await page.goto(stack.url, { waitUntil: "load" })
    const painted = await page.waitForFunction(
      () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
      undefined,
      { timeout: 20_000 },
    )
    const [paint, kilobytes] = [Number(await painted.jsonValue()) / 1000, bytes / 1000]
    await page.locator("#live[data-standing=live]").waitFor()
    return { paint, kilobytes, change: await changeOf(page, stack, sites) }
  } finally {
    await browser.close()
  }
}

async function changeOf(page: Page, stack: Stack, sites: Sites): Promise<number> {
  sites.broken.add(0)
  const known = until(
    "Prometheus to know",
    async () => {
      const [up] = await stack.prometheus.query('up{site="site-0"}')
      return up?.value[1] === "0" ? performance.now() : undefined
    },
    60,
  )
  const shown = page
    .locator("#site-site-0:not([data-state=ok])")
    .waitFor({ state: "attached", timeout: 60_000 })
    .then(() => performance.now())
  const [from, to] = await Promise.all([known, shown])
  return Math.max(0, to - from) / 1000
}

/** Seconds from when the first of many sites is down until each of them has been probed since. */
async function diagnosisOf(stack: Stack, sites: Sites, count: number): Promise<number> {
  for (let index = 0; index < count; index++) sites.broken.add(index)
  const names = Array.from({ length: count }, (_, index) => `site-${index}`)
  const down = await until(
    "all to be down",
    async () => {
      const rows = await rowsOf(stack)
      const found = rows.filter(({ state }) => state === "down").length
      await delay(100)
      return found >= count ? Date.now() : undefined
    },
    120,
  )
  const open = new Set(names)
  await until(
    "all to be diagnosed",
    async () => {
      for (const name of open) {
        const details = (await (await fetch(`${stack.url}/api/v1/sites/${name}`)).json()) as Details
        if (details.report?.findings.some(({ cause }) => cause === details.cause) === true) open.delete(name)
      }
      return open.size === 0 ? true : undefined
    },
    120,
  )
  return (Date.now() - down) / 1000
}
interface Details {
  readonly cause: string
  readonly report: { readonly findings: readonly { readonly cause: string }[] } | null
}

/** MB of the portal while so many pages follow what changes. */
async function memoryOf(stack: Stack, sites: Sites): Promise<number> {
  const streams = await Promise.all(
    Array.from({ length: PAGES }, async () => {
      const request = get(`${stack.url}/api/v1/events`).on("error", () => undefined)
      const [response] = (await once(request, "response")) as [IncomingMessage]
      response.resume()
      return request
    }),
  )
  let most = 0
  sites.broken.clear()
  const end = performance.now() + 15_000
  while (performance.now() < end) {
    most = Math.max(most, residentOf(stack.portal.process.pid ?? 0))
    await delay(200)
  }
  for (const request of streams) request.destroy()
  return most
}

async function measure(program: string, count: number) {
  const [sites, stack] = await Promise.all([startSites(count), startStack(program)])
  try {
    const configure = await stack.configure(sites.yaml)
    await delivering(stack, count)
    const p99 = await p99Of(stack)
    const seen = await seenIn(stack, sites)
    const diagnosis = await diagnosisOf(stack, sites, Math.min(BROKEN, count))
    const memory = await memoryOf(stack, sites)
    for (let index = 0; index < Math.min(BROKEN, count); index++) sites.hanging.add(index)
    await delay(12_000) // so that a scrape of each hangs
    // Prometheus may take minutes
    const hanging = await stack.configure(sites.yaml, "bench-token-1").catch(() => Infinity)
    return { count, configure, hanging, p99, seen, diagnosis, memory }
  } finally {
    await Promise.all([stack.close(), sites.close()])
  }
}
type Measured = Awaited<ReturnType<typeof measure>>

const row = ({ count, configure, hanging, p99, seen, diagnosis, memory }: Measured): string =>
  [
    String(count).padStart(5),
    `${configure.toFixed(2)} s`.padStart(10),
    (Number.isFinite(hanging) ? `${hanging.toFixed(1)} s` : "> 120 s").padStart(9),
    (seen === undefined ? "-" : `${seen.paint.toFixed(2)} s`).padStart(12),
    (seen === undefined ? "-" : `${seen.kilobytes.toFixed(0)} kB`).padStart(8),
    (seen === undefined ? "-" : `${seen.change.toFixed(2)} s`).padStart(8),
    `${diagnosis.toFixed(1)} s`.padStart(10),
    `${p99.toFixed(1)} ms`.padStart(9),
    `${memory.toFixed(0)} MB`.padStart(8),
  ].join("")

const program = findPrometheus()
if ("missing" in program) throw new Error(program.missing)
setTimeout(() => {
  say(`not measured to its end within ${LONGEST} s; load average: ${loadavg()[0]?.toFixed(1)}`)
  process.exit(1)
}, LONGEST * 1000).unref()
say("sites configure   hanging first paint    wire  change diagnosis      p99     RSS")
let last: Measured | undefined
for (const count of SIZES) {
  last = await measure(program.value, count)
  say(row(last))
}
say(`load average at the end: ${loadavg()[0]?.toFixed(1)}`)
if (last !== undefined) {
  const { configure, p99, seen, diagnosis, memory } = last
  const shares = {
    configure: configure / MOST.configure,
    ...(seen && {
      paint: seen.paint / MOST.paint,
      wire: seen.kilobytes / MOST.kilobytes,
      change: seen.change / MOST.change,
    }),
    diagnosis: diagnosis / MOST.diagnosis,
    p99: p99 / MOST.p99,
    memory: memory / MOST.memory,
  }
  const parts = Object.entries(shares).map(([name, share]) => `${name} ${share.toFixed(2)}`)
  say(`to what is promised, with ${last.count} sites: ${parts.join(", ")}`)
}
process.exit()
