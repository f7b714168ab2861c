import assert from "node:assert/strict"
import type { TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { until } from "../../dev/testing/until.ts"
import type { ListedSite } from "./listed.ts"
import type { Overview } from "./overview.ts"
import { openStatus } from "./status.ts"
import { type FakePrometheus, fakePrometheus, listedSite } from "./testing.ts"

interface Watched {
  readonly fake: FakePrometheus
  readonly status: ReturnType<typeof openStatus>
  readonly lines: readonly string[]
  readonly metrics: () => Promise<string>
  list(...sites: readonly ListedSite[]): void
  /** As if so many seconds had passed. */
  pass(seconds: number): void
  now(): number
  /** Waits until the sites are so: `a ok`, `b down refused`. */
  shows(...expected: readonly string[]): Promise<Overview>
}

interface Setting {
  readonly folder?: string
  readonly fake?: FakePrometheus
  /** Milliseconds that the clock of Prometheus is ahead. */
  readonly ahead?: number
  /** Whether the folder is no other portal's. */
  readonly ownsFolder?: boolean
  /** Seconds ago that Prometheus confirmed the configuration; null where it did not. */
  readonly confirmedAgo?: number | null
}

/** Watches a fake Prometheus that confirmed the configuration a day ago. */
export async function watch(t: TestContext, setting: Setting = {}): Promise<Watched> {
  const fake = setting.fake ?? (await fakePrometheus(t))
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) =>
    lines.push(line.replace(/^ts=\S+ level=(\S+) component=portal /, "$1 ").trim()),
  )
  const registry = createRegistry()
  let passed = 0
  const now = (): number => Date.now() + passed * 1000
  fake.now = () => now() + (setting.ahead ?? 0)
  const { confirmedAgo = 86_400 } = setting
  const confirmed = confirmedAgo === null ? undefined : new Date(now() - confirmedAgo * 1000)
  const rollout = {
    confirmed: () => confirmed,
    problem: () => undefined,
    ownsFolder: () => setting.ownsFolder ?? true,
    edited: () => Promise.resolve(undefined),
    ruleFiles: () => ["sites.yml"],
  }
  const configDir = setting.folder ?? temporaryFolder(t).path
  const status = openStatus({
    shards: [{ name: "prometheus", named: false, server: fake.server, rollout }],
    placement: { ownerOf: () => "prometheus", moves: () => [], delivers: () => false },
    former: { find: () => Promise.resolve([]), folders: () => [] },
    folders: [configDir],
    sitesFile: "sites.yaml",
    log,
    registry,
    now,
    every: 0.02,
  })
  t.after(() => status.close())
  await status.open()
  const rows = (): readonly string[] =>
    status.source
      .current()
      .sites.map(({ name, state, lastState, cause }) =>
        [name, state, ...(state === "unknown" ? [`(${lastState})`] : []), ...(cause === null ? [] : [cause])].join(" "),
      )
  return {
    fake,
    status,
    lines,
    metrics: () => registry.metrics(),
    list: (...sites) =>
      status.list({
        sites,
        contents: new Map([["tokens/b", "s3cret-token"]]),
        limits: { response_bytes: 1000, series: 1000 },
      }),
    pass: (seconds) => void (passed += seconds),
    now,
    async shows(...expected) {
      await until(`${expected.join(", ")} instead of ${rows().join(", ")}`, () =>
        rows().join() === expected.join() ? true : undefined,
      ).catch(() => assert.deepEqual(rows(), expected))
      return status.source.current()
    },
  }
}

/** Of two sites, one of which delivers; Prometheus has both. */
export async function watchTwo(t: TestContext, setting?: Setting): Promise<Watched> {
  const watched = await watch(t, setting)
  const at = watched.fake.now() / 1000
  watched.fake.pools.add("a").add("b")
  watched.fake.scrapes.set("a", [
    { at: at - 40, up: true },
    { at: at - 10, up: true, series: 7 },
  ])
  watched.fake.scrapes.set("b", [
    { at: at - 40, up: false },
    { at: at - 10, up: false },
  ])
  watched.list(listedSite("a"), listedSite("b"))
  return watched
}
