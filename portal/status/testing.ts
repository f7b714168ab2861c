import { createServer, type ServerResponse } from "node:http"
import type { TestContext } from "node:test"
import { Agent } from "undici"
import { listen } from "../../dev/testing/listen.ts"
import type { PrometheusServer } from "../federation/prometheus.ts"
import type { Writes } from "./judge-pushing.ts"
import type { ListedSite } from "./listed.ts"

/** A scrape as the fake Prometheus has it, in seconds of Unix time. */
export interface FakeScrape {
  readonly at: number
  readonly up: boolean
  readonly series?: number
  readonly error?: string
}

/** What shows no fault by itself; each may be replaced in a test. */
export interface FakePrometheus {
  /** The last scrapes of each site. */
  readonly scrapes: Map<string, readonly FakeScrape[]>
  readonly pools: Set<string>
  /** What the tenancy proxy reports of each sender; undefined where it is not scraped. */
  writes: ReadonlyMap<string, Writes> | undefined
  /** Its clock, in milliseconds. */
  now: () => number
  /** Where it is set, it responds in place of all else. */
  respond: ((path: string, response: ServerResponse) => boolean) | undefined
  /** Paths and queries that were requested. */
  readonly requests: string[]
  readonly server: PrometheusServer
}

/** Responds as Prometheus does: for faults that a real one cannot be made to show. */
export async function fakePrometheus(t: TestContext): Promise<FakePrometheus> {
  const scrapes = new Map<string, readonly FakeScrape[]>()
  const pools = new Set<string>()
  const requests: string[] = []
  const agent = new Agent()
  t.after(() => agent.destroy())
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "", "http://prometheus")
    response.setHeader("date", new Date(fake.now()).toUTCString())
    requests.push(`${pathname} ${searchParams.get("scrapePool") ?? ""}`.trim())
    if (fake.respond?.(pathname, response) === true) return
    const send = (data: unknown): void =>
      void response.setHeader("content-type", "application/json").end(JSON.stringify({ status: "success", data }))
    if (pathname === "/api/v1/scrape_pools") return send({ scrapePools: [...pools] })
    if (pathname === "/api/v1/targets")
      return send({ activeTargets: targetsOf(scrapes, searchParams.get("scrapePool")) })
    const query = searchParams.get("query") ?? ""
    if (query.startsWith("max by (sender)")) return send({ resultType: "vector", result: writesOf(fake.writes) })
    if (query.includes("[")) return send({ resultType: "matrix", result: matrixOf(scrapes) })
    send({ resultType: "vector", result: query.startsWith("count by (site)") ? visibleOf(scrapes) : [] })
  })
  const port = await listen(t, server)
  const fake: FakePrometheus = {
    scrapes,
    pools,
    requests,
    now: Date.now,
    writes: undefined,
    respond: undefined,
    server: { url: new URL(`http://127.0.0.1:${port}`), sending: () => ({ agent, headers: {} }) },
  }
  return fake
}

const matrixOf = (scrapes: ReadonlyMap<string, readonly FakeScrape[]>): readonly object[] =>
  [...scrapes].flatMap(([site, all]) => {
    const of = (name: string, value: (one: FakeScrape) => number) => ({
      metric: { __name__: name, site, job: site },
      values: all.map((one) => [one.at, String(value(one))]),
    })
    const series = ({ up, series: count = 5 }: FakeScrape): number => (up ? count : 0)
    return [
      of("up", ({ up }) => Number(up)),
      of("scrape_duration_seconds", () => 0.1),
      of("scrape_samples_scraped", series),
      of("scrape_samples_post_metric_relabeling", series),
    ]
  })

const writesOf = (writes: ReadonlyMap<string, Writes> = new Map()): readonly object[] =>
  [...writes].flatMap(([sender, { last, setAside }]) => [
    { metric: { sender }, value: [0, String(last)] },
    { metric: { sender, set_aside: "1" }, value: [0, String(setAside)] },
  ])

const visibleOf = (scrapes: ReadonlyMap<string, readonly FakeScrape[]>): readonly object[] =>
  [...scrapes].flatMap(([site, all]) => {
    const last = all.findLast(({ up }) => up)
    if (last === undefined) return []
    return [
      { metric: { site }, value: [last.at, String(last.series ?? 5)] },
      { metric: { site, newest: "1" }, value: [last.at, String(last.at - 3)] },
    ]
  })

const targetsOf = (scrapes: ReadonlyMap<string, readonly FakeScrape[]>, pool: string | null): readonly object[] =>
  [...scrapes]
    .filter(([site]) => pool === null || pool === site)
    .map(([site, all]) => {
      const last = all.at(-1)
      return {
        scrapePool: site,
        health: last === undefined ? "unknown" : last.up ? "up" : "down",
        lastError: last?.up === false ? (last.error ?? "connection refused") : "",
        lastScrape: last === undefined ? "0001-01-01T00:00:00Z" : new Date(last.at * 1000).toISOString(),
        lastScrapeDuration: 0.1,
      }
    })

/** A site that cannot be probed. */
export const listedSite = (name: string, about: Partial<ListedSite> = {}): ListedSite => ({
  name,
  labels: { location: name },
  url: `https://${name}.example.org`,
  interval: 30,
  timeout: 30,
  match: ["up"],
  where: "sites.yaml:2:5",
  usesOAuth2: false,
  credentials: { kind: "a bearer token", method: "bearer", file: "/etc/token" },
  tls: { caFile: undefined, certFile: undefined, keyFile: undefined, serverName: undefined },
  proxyUrl: undefined,
  paused: undefined,
  entry: undefined,
  ...about,
})
