import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import type { Seed, SeededServer } from "../../../../../dev/testing/openstack.ts"
import { until } from "../../../../../dev/testing/until.ts"
import { command } from "../main.ts"
import { valuesOf } from "../testing.ts"

/** vCPU hours and GiB hours as the original counts, by domain, project and name. */
export type Expected = ReadonlyMap<string, readonly [vcpu: number, memory: number]>

export interface Scraped {
  readonly text: string
  readonly up: number | undefined
  /** When the update began that is shown, in milliseconds of Unix time. */
  readonly end: number
  readonly usage: Expected
  value(series: string): number | undefined
  lines(pattern: RegExp): readonly string[]
}

export interface RealExporter {
  readonly url: string
  log(): string
  scrape(): Promise<Scraped>
  /** A scrape after the first update, which a busy machine may need longer for than a scrape waits. */
  first(): Promise<Scraped>
  until(what: string, condition: (scraped: Scraped) => boolean): Promise<Scraped>
  close(): Promise<void>
}

/** The exporter with its own clock and a cloud's variables; gone after the test. */
export async function startRealExporter(
  t: TestContext,
  env: Readonly<Record<string, string>>,
  argv: readonly string[],
): Promise<RealExporter> {
  const lines: string[] = []
  const running = await command.run(valuesOf(["--web.listen-address", "127.0.0.1:0", ...argv]), {
    log: createLogger({ level: "info", format: "logfmt" }, "exporter", (line) => lines.push(line)),
    signal: new AbortController().signal,
    print: () => undefined,
    env,
    now: () => new Date(),
  })
  assert.ok(running)
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= running.close())
  t.after(close)
  const url = `http://127.0.0.1:${running.addresses[0]?.port}`
  const scrape = async (): Promise<Scraped> => readScrape(await (await fetch(url)).text())
  const scrapeUntil: RealExporter["until"] = (what, condition) =>
    until(what, async () => {
      const scraped = await scrape()
      return condition(scraped) ? scraped : undefined
    })
  return {
    url,
    log: () => lines.join(""),
    scrape,
    first: () => scrapeUntil("the first update", ({ up }) => up === 1),
    close,
    until: scrapeUntil,
  }
}

function readScrape(text: string): Scraped {
  const all = text.split("\n")
  const value = (series: string): number | undefined => {
    const line = all.find((candidate) => candidate.startsWith(`${series} `))
    return line === undefined ? undefined : Number(line.slice(series.length))
  }
  const collector = 'collector="project-usage"'
  const usage = new Map<string, [number, number]>()
  for (const line of all) {
    const [, family, labels = "", number] = /^project_(vcpu|mb)_usage\{(.*)\} (\S+)$/.exec(line) ?? []
    if (family === undefined) continue
    const pair = usage.get(labels) ?? [Number.NaN, Number.NaN]
    pair[family === "vcpu" ? 0 : 1] = Number(number)
    usage.set(labels, pair)
  }
  return {
    text,
    usage,
    value,
    up: value(`fedstack_exporter_collector_up{${collector}}`),
    end: 1000 * (value(`fedstack_exporter_collector_last_success_timestamp_seconds{${collector}}`) ?? Number.NaN),
    lines: (pattern) => all.filter((line) => pattern.test(line)),
  }
}

export interface Wanted {
  readonly start: string
  /** Milliseconds of Unix time. */
  readonly end: number
  /** Those of the tests below, written down here once more in another form. */
  readonly weights: boolean
  readonly domain?: string
  readonly pool?: string
}

/** What a cloud with these servers has to show, computed without any code of the exporter. */
export function expectedUsage(seed: Seed, { start, end, weights, domain, pool }: Wanted): Expected {
  const expected = new Map<string, [number, number]>()
  const seriesOf = (project: Seed["projects"][string], name: string): string =>
    [
      ["domain_id", project.domain_id],
      ["domain_name", project.domain_name],
      ["project_id", project.id],
      ["project_name", name],
    ]
      .map(([label = "", value = ""]) => `${label}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`)
      .join(",")
  const projects = Object.values(seed.projects).filter(({ domain_name }) => [undefined, domain_name].includes(domain))
  for (const project of projects) if (project.id !== pool) expected.set(seriesOf(project, project.name), [0, 0])
  for (const server of Object.values(seed.servers)) {
    const project = projects.find(({ id }) => id === server.project_id)
    if (project === undefined || server.launched_at === null) continue
    const isPooled = project.id === pool
    // Nova forgets the tags of what was deleted before the exporter's first update
    if (isPooled && (server.terminated_at !== null || server.metadata.project_name === undefined)) continue
    const series = seriesOf(project, isPooled ? (server.metadata.project_name ?? "") : project.name)
    const from = Math.max(Date.parse(start), utc(server.launched_at))
    const hours = Math.max(0, Math.min(end, utc(server.terminated_at) ?? end) - from) / 3_600_000
    const [vcpuWeight, memoryWeight] = weights ? weightsOf(server) : [1, 1]
    const sum = expected.get(series) ?? [0, 0]
    sum[0] += hours * server.vcpus * vcpuWeight
    sum[1] += hours * Math.floor(server.memory_mb / 1024) * memoryWeight
    expected.set(series, sum)
  }
  return expected
}

function utc(date: string): number
function utc(date: string | null): number | undefined
function utc(date: string | null): number | undefined {
  return date === null ? undefined : Date.parse(`${date}Z`)
}

/** The two sets of the test's weights, as a person reads them: GiB are looked up among MB, as the original does. */
function weightsOf({ launched_at, vcpus, memory_mb }: SeededServer): readonly [number, number] {
  if ((launched_at ?? "") >= "2025-01-05T04:00") return [5, 1]
  const gib = Math.floor(memory_mb / 1024)
  return [vcpus <= 1 ? 0.5 : 2, gib <= 4 ? 0.25 : 0.75]
}

/** Both are the same series; values differ by less than what Nova's microseconds and the sums' rounding make of them. */
export function agree({ usage }: Scraped, expected: Expected): void {
  const own = [...usage.keys()].filter((series) => !/project_name="(?:admin|service)"/.test(series)) // of the cloud itself
  assert.deepEqual(own.toSorted(), [...expected.keys()].toSorted())
  for (const series of own) {
    for (const [index, value] of (usage.get(series) ?? []).entries()) {
      const right = expected.get(series)?.[index] ?? Number.NaN
      assert.ok(Math.abs(value - right) <= 1e-6 * right + 1e-4, `${series}: ${value}, not ${right}`)
    }
  }
}
