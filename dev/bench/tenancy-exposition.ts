import { availableParallelism } from "node:os"
import { setTimeout as delay } from "node:timers/promises"
import { parseSelector } from "#core/promql/parse.ts"
import { canonical } from "#core/promql/selector.ts"
import { readRequest } from "../../portal/tenancy/exposition/store/read-request.ts"
import { request } from "undici"
import { readNumbers } from "../testing/arguments.ts"
import { findCortex, type RunningCortex } from "../testing/cortex.ts"
import { findPrometheus } from "../testing/prometheus.ts"
import { load, type Load, readWhole, residentOf } from "./proxy-peers/load.ts"
import { type Ground, prepare } from "./proxy-peers/ground.ts"
import { QUERY, startFedstack, type Way } from "./proxy-peers/ways.ts"
import {
  clusterSeries,
  keepWriting,
  projectSeries,
  startExposition,
  startStore,
  writeAll,
} from "./tenancy-peers/exposition.ts"

const { quick: QUICK } = readNumbers(
  "dev/bench/tenancy-exposition",
  "measures scrapes of tenants beside those through the federation proxy and a bare query of Cortex.",
  {},
  { quick: "fewer turns and scrapes: two minutes instead of seven" },
)
const TURNS = QUICK ? 3 : 7
const SECONDS = QUICK ? 3 : 5
const CLIENTS = 50
/** Milliseconds after which no response is reused any more. */
const NOTHING_LEFT = 1500
const SERIES = 10_000
const SCRAPES = QUICK ? 30 : 100
const LARGE = 100_000
/** Scrapers of the large tenant at once, each for something else, and how often each scrapes. */
const LARGE_SCRAPERS = 4
const LARGE_SCRAPES = QUICK ? 2 : 5

const closers: (() => unknown)[] = []
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const line = (what: string, a: number, b: number, promise: string): void =>
  say(`  ${what}: ${(a / b).toPrecision(3)} (promised ${promise})`)
const medianOf = (values: readonly number[], part = 0.5): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN

async function main(): Promise<void> {
  const [prometheus, program] = [findPrometheus(), findCortex()]
  if ("missing" in prometheus) throw new Error(prometheus.missing)
  if ("missing" in program) throw new Error(program.missing)
  say(`${availableParallelism()} cores, Node ${process.versions.node}`)
  const ground = await prepare(prometheus.value, SERIES, closers)
  const cortex = await startStore(program.value, closers)
  const series = projectSeries(SERIES)
  await writeAll(cortex, "small", series)
  const stopWriting = keepWriting(cortex, "small", series)
  closers.unshift(stopWriting)
  const proxy = await startFedstack(ground, "1s")
  const reused = await startExposition(ground, cortex, "1s")
  const fresh = await startExposition(ground, cortex, "0s")
  await compareShared(ground, proxy, reused, cortex)
  await compareToQuery(ground, cortex, fresh)
  await stopWriting()
  await measureMemory(ground, cortex)
}

/** What is measured of fifty clients: of a way, and of whether a response is there when they begin. */
interface Series {
  readonly name: string
  readonly way: Way
  /** What else goes on meanwhile; the result ends it. */
  readonly beside?: () => () => Promise<void>
  readonly first: Load[]
  readonly next: Load[]
}

/**
 * Fifty clients that share responses. Each turn begins with none: all wait for that of Prometheus or Cortex. The second half
 * follows at once, while the response of the first is still reused. wrk counts time rather than requests: what all wait for
 * once is a part of its percentiles by how long it takes.
 */
async function compareShared({ token }: Ground, proxy: Way, exposition: Way, cortex: RunningCortex): Promise<void> {
  const measured = (name: string, way: Way, beside?: Series["beside"]): Series => ({
    ...{ name, way, first: [], next: [] },
    ...(beside && { beside }),
  })
  const all = [
    measured("federation proxy, reuse 1s", proxy),
    measured(exposition.name, exposition),
    measured("federation proxy, see below", proxy, () => keepReading(cortex)),
  ]
  for (let turn = 0; turn < TURNS; turn++) {
    for (const { way, beside, first, next } of turn % 2 === 0 ? all : all.toReversed()) {
      const url = `${way.url}/federate?${QUERY}`
      if (turn === 0) await load(url, CLIENTS, 2, token)
      await delay(NOTHING_LEFT)
      const stop = beside?.()
      first.push(await load(url, CLIENTS, SECONDS, token))
      next.push(await load(url, CLIENTS, SECONDS, token))
      await stop?.()
    }
  }
  for (const half of ["next", "first"] as const) {
    const when = half === "next" ? "a response is there" : "from nothing, the first response included"
    say(`\n${SERIES} series, ${CLIENTS} scrapers, ${TURNS} turns of ${SECONDS} s each, medians; ${when}`)
    const [a, b] = all.map((one) => showLoads(one, one[half]))
    if (a === undefined || b === undefined) return
    line("requests/s, federation proxy to exposition", a.rate, b.rate, "at most 1.2")
    line("p99, exposition to federation proxy", b.p99, a.p99, "at most 1.2")
  }
  say("below: while Cortex serves one remote read of these series each second, as for the exposition")
}

function showLoads({ name, way }: Series, list: readonly Load[]) {
  const [rate, p50, p99] = (["requestsPerSecond", "p50", "p99"] as const).map((key) =>
    medianOf(list.map((one) => one[key])),
  )
  const failures = list.reduce((sum, one) => sum + one.failures, 0)
  say(
    `${name.padEnd(27)}${rate?.toFixed(0).padStart(7)} requests/s  p50 ${p50?.toFixed(2)} ms  p99 ${p99?.toFixed(2)} ms  RSS ${residentOf(way.pid).toFixed(0)} MB${failures > 0 ? `  ${failures} FAILED` : ""}`,
  )
  return { rate: rate ?? Number.NaN, p99: p99 ?? Number.NaN }
}

/** Has Cortex do once a second what it does for the exposition; the result ends that. */
function keepReading({ url }: RunningCortex): () => Promise<void> {
  const selector = canonical(parseSelector('{job="project_usages",__name__=~"project_.*_usage"}'))
  const read = async (): Promise<void> => {
    const end = Date.now()
    const { body, statusCode } = await request(`${url}/prometheus/api/v1/read`, {
      method: "POST",
      headers: {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "x-prometheus-remote-read-version": "0.1.0",
        "x-scope-orgid": "small",
      },
      body: readRequest([selector], end - 60_000, end),
    })
    await readWhole(body)
    if (statusCode !== 200) throw new Error(`Cortex responded ${statusCode} to a read`)
  }
  let reading = read()
  const timer = setInterval(() => void (reading = reading.then(read)), 1000)
  return async () => {
    clearInterval(timer)
    await reading
  }
}

/** One scraper, and one that queries Cortex, in turn. */
async function compareToQuery({ token }: Ground, cortex: RunningCortex, { url }: Way): Promise<void> {
  const selector = '{job="project_usages",__name__=~"project_.*_usage"}'
  const query = (): Promise<number> =>
    timed(`${cortex.url}/prometheus/api/v1/query?query=${encodeURIComponent(selector)}&time=${Date.now() / 1000}`, {
      "x-scope-orgid": "small",
    })
  const scrape = (): Promise<number> => timed(`${url}/federate?${QUERY}`, { authorization: `Bearer ${token}` })
  const times = { query: [] as number[], scrape: [] as number[] }
  for (let i = -10; i < SCRAPES; i++) {
    const [first, second] = [await query(), await scrape()]
    if (i < 0) continue // the first are slower
    times.query.push(first)
    times.scrape.push(second)
  }
  say(`\n${SERIES} series, one scraper without reuse, ${SCRAPES} scrapes and queries in turn, with gzip`)
  for (const [name, list] of [
    ["query of Cortex", times.query],
    ["exposition", times.scrape],
  ] as const) {
    say(`${name.padEnd(27)}p50 ${medianOf(list).toFixed(1)} ms  p99 ${medianOf(list, 0.99).toFixed(1)} ms`)
  }
  line("p50, exposition to query", medianOf(times.scrape), medianOf(times.query), "at most 1.3")
}

async function timed(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const begin = performance.now()
  const { body, statusCode } = await request(url, { headers: { ...headers, "accept-encoding": "gzip" } })
  await readWhole(body)
  if (statusCode !== 200) throw new Error(`${url} responded ${statusCode}`)
  return performance.now() - begin
}

/** Scrapers of a large tenant, by a process that has served none before. */
async function measureMemory(ground: Ground, cortex: RunningCortex): Promise<void> {
  await writeAll(cortex, "large", clusterSeries(LARGE))
  const { url, pid } = await startExposition(ground, cortex, "5s")
  const before = residentOf(pid)
  let most = before
  const timer = setInterval(() => (most = Math.max(most, residentOf(pid))), 10)
  closers.unshift(() => clearInterval(timer))
  const headers = { authorization: `Bearer ${ground.token}-large` }
  const scrapes = async (scraper: number): Promise<readonly number[]> => {
    const times: number[] = []
    const match = encodeURIComponent(`{__name__=~".+",pod!="${scraper}"}`)
    for (let i = 0; i < LARGE_SCRAPES; i++) times.push(await timed(`${url}/federate?match[]=${match}`, headers))
    return times
  }
  const alone = await scrapes(0)
  const mostAlone = most
  await writeAll(cortex, "large", clusterSeries(LARGE)) // none is over
  const together = await Promise.all(Array.from({ length: LARGE_SCRAPERS }, (_, scraper) => scrapes(scraper + 1)))
  clearInterval(timer)
  say(`\n${LARGE} series, RSS before ${before.toFixed(0)} MB`)
  const show = (name: string, times: readonly number[], rss: number): void =>
    say(
      `${name.padEnd(27)}p50 ${medianOf(times).toFixed(0)} ms  RSS at most ${rss.toFixed(0)} MB (promised under 200 MB)`,
    )
  show("one scraper", alone, mostAlone)
  show(`${LARGE_SCRAPERS} scrapers, nothing shared`, together.flat(), most)
}

try {
  await main()
} finally {
  for (const close of closers.splice(0)) await close()
}
