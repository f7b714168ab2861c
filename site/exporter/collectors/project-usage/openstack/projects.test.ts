import assert from "node:assert/strict"
import { test } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { fakeCloud } from "./fake-cloud.testing.ts"
import { readPoolTags } from "./pool-tags.ts"
import { listProjects } from "./projects.ts"
import { propertiesOf } from "./projects.ts"
import { rememberTags } from "./pool-tags.ts"

const { signal } = new AbortController()
const log = createLogger({ level: "error", format: "logfmt" }, "test", () => undefined)
const ALL = { filter: { id: undefined, names: [] }, properties: [] }
const links = { next: null }
const DAY = 86_400_000

const unusable: readonly (readonly [what: string, path: string, response: unknown, reason: string])[] = [
  [
    "no list",
    "/projects",
    { error: 5 },
    "the response of identity to /projects cannot be used: it has no list projects",
  ],
  ["a project without name", "/projects", { projects: [{ id: "p", domain_id: "d", name: null }] }, "name is null"],
  ["a project without domain", "/projects", { projects: [{ id: "p", name: "p" }] }, "domain_id is missing"],
  [
    "a domain without id",
    "/domains",
    { domains: [{ name: "d" }], links },
    "the response of identity to /domains cannot",
  ],
  [
    "a list that is cut off",
    "/projects",
    { projects: [], links, truncated: true },
    "it is cut off at a largest length",
  ],
  ["pages that come back", "/domains", { domains: [], links: { next: "http://x/v3/domains" } }, "its pages come back"],
]
for (const [what, where, response, reason] of unusable) {
  test(`refuses projects where it finds ${what}`, async () => {
    const api = fakeCloud()
    api.intercept = ({ path }) => (path === where ? response : undefined)
    await assert.rejects(listProjects(api, ALL, signal), (error: Error) => error.message.includes(reason))
  })
}

test("a project that moved to the next page while pages were read is listed once", async () => {
  const api = fakeCloud()
  const item = (id: string) => ({ id, name: id, domain_id: "d" })
  api.intercept = ({ path, query }) => {
    if (path !== "/projects") return undefined
    if (query.marker === undefined)
      return { projects: [item("p"), item("q")], links: { next: "http://x/v3/projects?marker=q" } }
    return { projects: [item("q"), item("r")], links }
  }
  const { projects } = await listProjects(api, ALL, signal)
  assert.deepEqual(
    projects.map(({ id }) => id),
    ["p", "q", "r"],
  )
})

test("remembers nothing of a list of pool servers that cannot be read whole", async () => {
  const tags = rememberTags({}, { now: () => new Date(), log })
  const pool = { projectId: "pool", tag: "tag" }
  const api = fakeCloud()
  const good = { id: "a", tenant_id: "pool", metadata: { tag: "red" } }
  api.intercept = () => ({ servers: [good, { id: "b", tenant_id: "pool", metadata: null }] })
  await assert.rejects(readPoolTags(api, pool, tags, signal), /server b has no metadata/)
  assert.deepEqual(tags.all(), {})
  api.intercept = () => ({ servers: [good, { ...good, id: "c", tenant_id: "another" }] })
  await readPoolTags(api, pool, tags, signal)
  assert.deepEqual(Object.keys(tags.all()), ["a"])
})

test("a tag is forgotten seven days after the server had usage for the last time", () => {
  let time = 0
  const tags = rememberTags({ a: ["red", 0], b: ["blue", 0] }, { now: () => new Date(time), log })
  time = 5 * DAY
  assert.equal(tags.of("a"), "red")
  time = 8 * DAY
  assert.deepEqual(tags.all(), { a: ["red", 5 * DAY] })
  time = 13 * DAY
  assert.deepEqual(tags.all(), {})
})

test("a property is read from tags first, and only by its whole name", () => {
  const project = { tags: ["teams=x", "team=a=b", "cost", 5], team: "field", id: 7, options: {} }
  const names = ["team", "cost", "id", "options", "constructor"]
  assert.deepEqual(propertiesOf(project, names), { team: "a=b", cost: "true", id: "7", options: "", constructor: "" })
})
