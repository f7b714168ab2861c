import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { HOUR, NOW, server } from "../accounts/testing.ts"
import { fakeCloud, type FakeState, refused } from "./fake-cloud.testing.ts"
import type { Api } from "./api.ts"
import type { Server } from "../usage.ts"
import { listUsage } from "./usage-list.ts"

const START = Date.UTC(2026, 2, 1)
const PERIOD = { start: new Date(START), end: new Date(NOW) }
const options = { now: () => new Date(NOW), signal: new AbortController().signal }

/** The list, and the servers that it handed on since it began last, by project. */
async function list(api: Api) {
  let projects: Record<string, Server[]> = {}
  let ids: string[] = []
  const listed = await listUsage(api, PERIOD, options, () => {
    ;[projects, ids] = [{}, []]
    return (project, id, found) => {
      ;(projects[project] ??= []).push(found)
      ids.push(id)
    }
  })
  return { ...listed, projects, ids }
}
const shown = ({ projects }: Awaited<ReturnType<typeof list>>) =>
  Object.entries(projects).map(([id, servers]) => [id, servers.map(({ hours }) => hours)])

test("lists all servers of all projects in as many requests as there are pages, with one end", async () => {
  const servers = ["a", "b", "c", "d", "e"].map((id, index) => server(id, index < 3 ? "p" : "q"))
  const api = fakeCloud({ servers, maxLimit: 2 })
  const found = await list(api)
  assert.deepEqual(shown(found), [
    ["p", [10, 10, 10]],
    ["q", [10, 10]],
  ])
  const query = { detailed: "1", start: "2026-03-01T00:00:00.000", end: "2026-03-10T12:00:00.000", limit: "1000" }
  const path = "/os-simple-tenant-usage"
  assert.deepEqual(
    api.requests,
    [query, { ...query, marker: "b" }, { ...query, marker: "d" }].map((one) => ({
      path,
      query: one,
      microversion: "2.40",
    })),
  )
})

test("an exactly full last page is followed by an empty one", async () => {
  const api = fakeCloud({ servers: [server("a", "p"), server("b", "p")], maxLimit: 2 })
  assert.deepEqual(shown(await list(api)), [["p", [10, 10]]])
  assert.equal(api.requests.length, 2)
})

test("reads what a server was, and what it is not any more", async () => {
  const ended = { launchedAt: START - 10 * HOUR, endedAt: START + 5 * HOUR }
  const api = fakeCloud({ servers: [server("a", "p", ended), server("b", "p", { vcpus: 8, memoryMb: 5000 })] })
  const { projects, ids, clockLead, repeated } = await list(api)
  assert.deepEqual(ids, ["a", "b"])
  assert.deepEqual(projects.p, [
    {
      vcpus: 2,
      memoryMb: 4096,
      diskGb: 20,
      hours: 5,
      startedAt: ended.launchedAt / 1000,
      endedAt: ended.endedAt / 1000,
    },
    {
      vcpus: 8,
      memoryMb: 5000,
      diskGb: 20,
      hours: 10,
      startedAt: NOW / 1000 - 36_000,
      endedAt: Infinity,
    },
  ])
  assert.deepEqual([clockLead, repeated], [0, []])
})

test("reports how far the cloud's clock is ahead", async () => {
  const api = fakeCloud({ servers: [server("a", "p")], now: NOW + HOUR })
  assert.equal((await list(api)).clockLead, 3600)
})

test("reports how far clocks differ by the date of the response where no server lives", async () => {
  const api = fakeCloud({ now: NOW + HOUR, servers: [server("a", "p", { endedAt: NOW })] })
  const { clockLead, present } = await list(api)
  assert.deepEqual([clockLead, present], [3600, (NOW + HOUR) / 1000])
  const silent = { ...api, dateOf: () => undefined }
  assert.equal((await list(silent)).clockLead, undefined)
})

test("starts again when the server that a page ended with is gone", async () => {
  const servers = [server("a", "p"), server("b", "p"), server("c", "p")]
  const api = fakeCloud({ servers, maxLimit: 2 })
  api.intercept = ({ query }) => {
    if (query.marker === "b") api.state.servers = servers.filter(({ id }) => id !== "b")
  }
  assert.deepEqual(shown(await list(api)), [["p", [10, 10]]])
  assert.deepEqual(
    api.requests.map(({ query }) => query.marker),
    [undefined, "b", undefined, "c"],
  )
})

test("fails when the list keeps changing", async () => {
  const api = fakeCloud({ servers: [server("a", "p"), server("b", "p")], maxLimit: 1 })
  api.intercept = ({ query }) => {
    if (query.marker !== undefined) throw refused(400)
  }
  await assert.rejects(list(api), {
    code: "LISTING_UNSTEADY",
    message:
      "The list /os-simple-tenant-usage changed while it was read, 5 times in a row: the server that a page ended with was gone when the next was requested",
  })
})

test("a request that is refused on its first page is not tried again", async () => {
  const api = fakeCloud()
  api.intercept = () => {
    throw refused(400)
  }
  await assert.rejects(list(api), /responded with 400/)
  assert.equal(api.requests.length, 1)
})

test("a server that is listed twice counts once", async () => {
  const servers = [server("a", "p"), server("b", "p")]
  const api = fakeCloud({ servers: [...servers, server("a", "q", { launchedAt: NOW - HOUR })] })
  const found = await list(api)
  assert.deepEqual(shown(found), [["p", [10, 10]]])
  assert.deepEqual(found.repeated, ["a"])
})

const good = {
  instance_id: "s",
  hours: 1,
  vcpus: 1,
  memory_mb: 1024,
  local_gb: 1,
  started_at: "2026-03-10T00:00:00.000000",
  ended_at: null,
  uptime: 1,
}
const one = (changes: object) => ({ tenant_usages: [{ tenant_id: "p", server_usages: [{ ...good, ...changes }] }] })
const many = (count: number) => ({
  tenant_usages: ["p", "q"].map((tenant_id, part) => ({
    tenant_id,
    server_usages: Array.from({ length: count / 2 }, (_, index) => ({ ...good, instance_id: `${part}-${index}` })),
  })),
})
const next = (link: object) => ({ tenant_usages: [], tenant_usages_links: [{ rel: "next", ...link }] })
const unusable: readonly (readonly [what: string, response: unknown, reason: string])[] = [
  ["null", null, "it has no list tenant_usages"],
  ["a list", [], "it has no list tenant_usages"],
  ["an error with 200", { error: {} }, "it has no list tenant_usages"],
  ["a project that is none", { tenant_usages: ["p"] }, "tenant_usages[0] is no object"],
  ["a project without id", { tenant_usages: [{ server_usages: [] }] }, "tenant_id is missing, not text"],
  ["a project without details", { tenant_usages: [{ tenant_id: "p" }] }, "it has no list server_usages"],
  ["a server without id", one({ instance_id: null }), "instance_id is null, not text"],
  ["no hours", one({ hours: null }), "server s: hours is null, not a number"],
  ["hours in words", one({ hours: "1" }), 'server s: hours is "1", not a number'],
  ["too many hours", one({ hours: 228.1 }), "server s: hours is 228.1, not at most 228, the length of the period"],
  ["no vCPUs", one({ vcpus: null }), "server s: vcpus is null, not a number from 0 on"],
  ["endless vCPUs", one({ vcpus: Infinity }), "server s: vcpus is null, not a number from 0 on"],
  ["endlessly negative hours", one({ hours: -Infinity }), "server s: hours is null, not a number"],
  ["negative memory", one({ memory_mb: -1 }), "server s: memory_mb is -1, not a number from 0 on"],
  ["no disk", one({ local_gb: null }), "server s: local_gb is null, not a number from 0 on"],
  [
    "no start",
    one({ started_at: null }),
    "server s: started_at is null, not a date such as 2025-01-31T08:00:00.000000",
  ],
  ["a zone", one({ ended_at: "2026-03-10T00:00:00Z" }), 'server s: ended_at is "2026-03-10T00:00:00Z", not a date'],
  ["a 13th month", one({ started_at: "2026-13-10T00:00:00" }), 'server s: started_at is "2026-13-10T00:00:00"'],
  ["links that are none", { tenant_usages: [], tenant_usages_links: 5 }, "it has no list tenant_usages_links"],
  ["a link without address", next({}), "tenant_usages_links has a next page without a marker"],
  ["a link without marker", next({ href: "/?a=b" }), "tenant_usages_links has a next page without a marker"],
  [
    "a page that comes back",
    { ...one({}), tenant_usages_links: [{ rel: "next", href: "/?marker=s" }] },
    "its pages come back to the marker s",
  ],
  [
    "a link to elsewhere",
    { ...one({}), tenant_usages_links: [{ rel: "next", href: "/?marker=x" }] },
    "the link to the next page begins after x, which is not on this page",
  ],
  [
    "an empty page with a link",
    next({ href: "/?marker=s" }),
    "the link to the next page begins after s, which is not on this page",
  ],
  ["a full page without a link", many(1000), "a page of 1000 servers, which is a full one, has no link to the next"],
  [
    "more servers than a page has, without a link",
    many(1200),
    "a page of 1200 servers, which is a full one, has no link to the next",
  ],
  [
    "fewer hours than their sum",
    { tenant_usages: [{ tenant_id: "p", server_usages: [good], total_hours: 2 }] },
    "project p: its servers have 1 hours, and total_hours is 2",
  ],
]
for (const [what, response, reason] of unusable) {
  test(`refuses all where it finds ${what}`, async () => {
    const api = fakeCloud()
    api.intercept = () => response
    await assert.rejects(list(api), (error: Error) => {
      assert.ok(
        error.message.startsWith(`the response of compute to /os-simple-tenant-usage cannot be used: ${reason}`),
      )
      return true
    })
  })
}

test("refuses all where a later page is full and has no link to the next", async () => {
  const servers = ["a", "b", "c", "d", "e"].map((id) => server(id, "p"))
  const api = fakeCloud({ servers, maxLimit: 2 })
  const cut: Api = {
    ...api,
    async get(service, path, request) {
      const response = (await api.get(service, path, request)) as object
      return request.query?.marker === "b" ? { ...response, tenant_usages_links: undefined } : response
    },
  }
  await assert.rejects(list(cut), /: a page of 2 servers, which is a full one, has no link to the next\. It is ignored/)
})

test("refuses all where a link leads back to an earlier page", async () => {
  const servers = ["a", "b", "c", "d", "e"].map((id) => server(id, "p"))
  const api = fakeCloud({ servers, maxLimit: 2 })
  const back: Api = {
    ...api,
    async get(service, path, request) {
      const response = (await api.get(service, path, request)) as object
      if (request.query?.marker !== "d") return response
      return { ...response, tenant_usages_links: [{ rel: "next", href: "/?marker=a" }] }
    },
  }
  await assert.rejects(list(back), /: the link to the next page begins after a, which is not on this page\. It is/)
})

test("hours of 0 and less are passed on, and count nothing later", async () => {
  const api = fakeCloud()
  for (const hours of [0, -3]) {
    api.intercept = () => one({ hours })
    assert.deepEqual(shown(await list(api)), [["p", [hours]]])
  }
})

test("any size of pages gives the same", async () => {
  const servers = fc.uniqueArray(
    fc.record({
      id: fc.uuid(),
      project: fc.constantFrom("p", "q", "r"),
      vcpus: fc.integer({ min: 1, max: 64 }),
      memoryMb: fc.integer({ min: 1, max: 9999 }),
      launchedAt: fc.integer({ min: START - 100 * HOUR, max: NOW + HOUR }),
      endedAt: fc.option(fc.integer({ min: START - 100 * HOUR, max: NOW }), { nil: undefined }),
    }),
    { selector: ({ id }) => id, maxLength: 30 },
  )
  await fc.assert(
    fc.asyncProperty(servers, fc.integer({ min: 1, max: 31 }), async (all, maxLimit) => {
      const state: Partial<FakeState> = {
        servers: all.map(({ endedAt, ...rest }) => (endedAt === undefined ? rest : { ...rest, endedAt })),
      }
      const whole = await list(fakeCloud(state))
      const paged = await list(fakeCloud({ ...state, maxLimit }))
      assert.deepEqual(paged, whole)
    }),
  )
})
