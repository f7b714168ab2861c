import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { createLogger } from "#core/log/logger.ts"
import { fakeCloud, type FakeServer, refused } from "../openstack/fake-cloud.testing.ts"
import { openStackCloud } from "../openstack/cloud.ts"
import { rememberTags } from "../openstack/pool-tags.ts"
import { sortWeights } from "../weights.ts"
import { reconcile } from "./reconcile.ts"
import { type CloudState, EMPTY } from "./state.ts"

const MINUTE = 60_000
const START = Date.UTC(2026, 2, 1)
const PROJECTS = ["p", "q"]
const WEIGHTS = sortWeights([
  {
    from: 0,
    vcpus: [
      { value: 2, weight: 1 },
      { value: 8, weight: 3 },
    ],
    memoryMb: [{ value: 4096, weight: 0.5 }],
  },
  { from: START / 1000 + 3600, vcpus: [], memoryMb: [{ value: 1024, weight: 2 }] },
])
const weightOf = ({ vcpus, launchedAt }: FakeServer): number =>
  launchedAt >= START + 3600_000 ? 1 : vcpus <= 2 ? 1 : 3

type Step =
  | { readonly kind: "boot" | "delete" | "archive" | "resize"; readonly pick: number; readonly vcpus: number }
  | { readonly kind: "wait"; readonly minutes: number }
  | { readonly kind: "update" | "failing update" | "restart" | "lost page" }

const pick = fc.nat({ max: 50 })
const vcpus = fc.integer({ min: 1, max: 8 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("boot", "boot", "delete", "archive", "resize"), pick, vcpus }),
  fc.record({ kind: fc.constant("wait"), minutes: fc.integer({ min: 1, max: 500 }) }),
  fc.record({ kind: fc.constantFrom("update", "update", "failing update", "restart", "lost page") }),
)

/**
 * A cloud to which things happen, and what each project truly used, minute by minute, whatever the cloud forgets. The
 * exporter's clock is so many minutes ahead of the cloud's.
 */
function world(offset: number, ahead = 0) {
  const api = fakeCloud({
    now: START + offset * MINUTE,
    projects: PROJECTS.map((id) => ({ id, name: id, domain: "d" })),
    maxLimit: 2,
  })
  const log = createLogger({ level: "error", format: "logfmt" }, "test", () => undefined)
  const now = (): Date => new Date(api.state.now)
  const signal = new AbortController().signal
  const filter = { id: undefined, names: [] }
  const tags = rememberTags({}, { now, log })
  const cloud = openStackCloud(api, { labels: {}, filter, pool: undefined, tags, properties: [], now, log })
  const truth: Record<string, number> = Object.fromEntries(PROJECTS.map((id) => [id, 0]))
  let count = 0
  let remembered: CloudState = EMPTY
  const alive = () => api.state.servers.filter(({ endedAt }) => endedAt === undefined)
  const replace = (old: FakeServer, changes: Partial<FakeServer>): void => {
    api.state.servers = api.state.servers.map((one) => (one === old ? { ...old, ...changes } : one))
  }
  return {
    api,
    truth,
    restart: () => (remembered = JSON.parse(JSON.stringify(remembered)) as CloudState),
    async update() {
      const period = { start: new Date(START), end: new Date(Math.max(api.state.now + ahead * MINUTE, remembered.end)) }
      const { accounts, state } = await reconcile(remembered, period, {
        cloud,
        pool: undefined,
        weights: WEIGHTS,
        months: 0,
        signal,
      })
      remembered = state
      return accounts.projects
    },
    wait(minutes: number) {
      api.state.now += minutes * MINUTE
      for (const one of alive())
        truth[one.project] = (truth[one.project] ?? 0) + minutes * 60 * one.vcpus * weightOf(one)
    },
    happen({ kind, pick: index, vcpus: size }: Extract<Step, { readonly pick: number }>) {
      const one = alive()[index % alive().length]
      if (kind === "boot") {
        const project = PROJECTS[index % PROJECTS.length] ?? ""
        const id = `${(index * 7) % 10}-${(count += 1)}`
        const fresh = { id, project, vcpus: size, memoryMb: 1024, launchedAt: api.state.now }
        api.state.servers = [...api.state.servers, fresh]
      } else if (kind === "archive") api.state.servers = alive()
      else if (one !== undefined && kind === "delete") replace(one, { endedAt: api.state.now })
      else if (one !== undefined) replace(one, { vcpus: size, launchedAt: api.state.now }) // as Nova does
    },
  }
}

const near = (actual: number, expected: number): boolean => Math.abs(actual - expected) <= 1e-6 * Math.max(1, expected)

const offsets = fc.integer({ min: 0, max: 90 })
const clocks = fc.constantFrom(0, 0, 60, 50_000)

test("usage is what was truly used, whatever happens and whatever the cloud forgets", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), offsets, clocks, async (steps, offset, ahead) => {
      const site = world(offset + 1, ahead)
      const { api, truth } = site
      const last: Record<string, number> = {}
      const check = async (): Promise<void> => {
        for (const { labels, usage } of await site.update()) {
          const id = labels.project_id ?? ""
          assert.ok(usage.vcpuSeconds >= (last[id] ?? 0), `${id} fell to ${usage.vcpuSeconds} from ${last[id]}`)
          assert.ok(near(usage.vcpuSeconds, truth[id] ?? 0), `${id}: ${usage.vcpuSeconds}, truly ${truth[id]}`)
          last[id] = usage.vcpuSeconds
        }
      }
      await check()
      for (const one of steps) {
        if (one.kind === "wait") site.wait(one.minutes)
        else if (one.kind === "update") await check()
        else if (one.kind === "restart") site.restart()
        else if (one.kind === "failing update" || one.kind === "lost page") {
          api.intercept = ({ query }) => {
            if (one.kind === "failing update" || query.marker !== undefined) throw refused(503)
          }
          await site.update().catch(() => undefined)
          api.intercept = () => undefined
        } else if ("pick" in one) {
          // what happens between two updates to what the cloud then forgets cannot be known
          if (one.kind === "archive" || one.kind === "resize") await check()
          site.happen(one)
        }
      }
      await check()
    }),
    { numRuns: 300 },
  )
})

test("the old values are what the original computes for the period, to the last bit", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const site = world(30)
      const { api } = site
      for (const one of steps) {
        if (one.kind === "wait") site.wait(one.minutes)
        else if ("pick" in one) site.happen(one)
        else if (one.kind === "update") await site.update()
      }
      for (const { labels, usage } of await site.update()) {
        const id = labels.project_id
        const mine = api.state.servers
          .filter(({ project }) => project === id)
          .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        let expected = 0
        for (const one of mine) {
          const hours = ((one.endedAt ?? api.state.now) - Math.max(START, one.launchedAt)) / 3_600_000
          if (hours > 0) expected += hours * one.vcpus * weightOf(one)
        }
        assert.equal(usage.vcpuHours, expected)
      }
    }),
  )
})

test("what is retained stays whole where the cloud counts to its own present, which differs from page to page", async () => {
  const site = world(120, 60)
  const { api } = site
  const launchedAt = START + 10 * MINUTE
  const server = (id: string, project: string): FakeServer => ({ id, project, vcpus: 1, memoryMb: 1024, launchedAt })
  const living = [server("a", "p"), server("b", "q")]
  api.state.maxLimit = 1
  api.state.servers = [...living, { ...server("c", "p"), endedAt: launchedAt + 30 * MINUTE }]
  await site.update()
  api.state.servers = living
  api.intercept = () => void (api.state.now += MINUTE)
  for (let times = 0; times < 5; times += 1) {
    const retained = (await site.update()).map(({ usage }) => Math.round(usage.vcpuSeconds - usage.vcpuHours * 3600))
    assert.deepEqual(retained, [30 * 60, 0])
  }
})

test("what is retained for a project stays when the project and its domain are renamed", async () => {
  const site = world(60)
  const { api } = site
  const server = { id: "a", project: "p", vcpus: 1, memoryMb: 1024, launchedAt: START }
  api.state.servers = [{ ...server, endedAt: START + 30 * MINUTE }]
  await site.update()
  api.state.servers = []
  api.state.domains = [{ id: "d", name: "renamed" }]
  api.state.projects = [{ id: "p", name: "other", domain: "d" }]
  assert.deepEqual(
    (await site.update()).map(({ labels, usage }) => [labels.domain_name, labels.project_name, usage.vcpuSeconds]),
    [["renamed", "other", 1800]],
  )
})

test("counts no moment twice and leaves none out where no server lives and our clock is ahead", async () => {
  const site = world(60, 50_000)
  const { api } = site
  api.state.now += 900 // which the date of a response does not show
  const server = { id: "a", project: "p", vcpus: 1, memoryMb: 1024, launchedAt: START }
  const seconds = async () => Number((await site.update())[0]?.usage.vcpuSeconds.toFixed(3))
  api.state.servers = [{ ...server, endedAt: api.state.now - 100 }]
  assert.deepEqual([await seconds(), await seconds()], [3600.8, 3600.8])
  api.state.servers = []
  assert.equal(await seconds(), 3600.8)
  api.state.servers = [{ ...server, id: "b", launchedAt: api.state.now }]
  api.state.now += 10 * MINUTE
  assert.equal(await seconds(), 4200.8)
})

test("counts no moment twice when the cloud's clock goes back for a while", async () => {
  const site = world(60)
  const { api } = site
  api.state.servers = [{ id: "a", project: "p", vcpus: 1, memoryMb: 1024, launchedAt: START }]
  const seconds: number[] = []
  for (const minutes of [0, -2, 1, 3]) {
    api.state.now += minutes * MINUTE
    seconds.push(Math.round((await site.update())[0]?.usage.vcpuSeconds ?? 0))
  }
  assert.deepEqual(seconds, [3600, 3600, 3600, 3720])
})
