import assert from "node:assert/strict"
import { chmodSync, writeFileSync } from "node:fs"
import test, { type TestContext } from "node:test"
import { fromJSONSchema } from "zod"
import { fakeSites } from "./fake-sites.testing.ts"
import { fakeSource } from "./fake-source.testing.ts"
import { openapi } from "./openapi.ts"
import { serveSitesApi, SITES_FILE } from "./sites-api.testing.ts"
import { servePages } from "./testing.ts"

async function start(t: TestContext) {
  const source = fakeSource(fakeSites(30))
  const { url, close } = await servePages(source)
  t.after(close)
  const get = (path: string, init: RequestInit = {}): Promise<Response> => fetch(url + path, init)
  return { source, get, post: (path: string, init: RequestInit = {}) => get(path, { method: "POST", ...init }) }
}

const document = openapi("0.1.0")

type Operations = Readonly<Record<string, { readonly responses: Readonly<Record<string, object>> } | undefined>>

const responsesOf = (path: string, method: string): Readonly<Record<string, object>> =>
  (document.paths as Readonly<Record<string, Operations>>)[path]?.[method]?.responses ?? {}

/** A schema of the document, by its name. */
const schemaOf = (name: string) =>
  fromJSONSchema(
    JSON.parse(
      JSON.stringify({ $ref: `#/$defs/${name}`, $defs: document.components.schemas }).replaceAll(
        "#/components/schemas/",
        "#/$defs/",
      ),
    ),
  )

test("serves its OpenAPI document", async (t) => {
  const { get } = await start(t)
  assert.deepEqual(await (await get("/api/v1/openapi.json")).json(), JSON.parse(JSON.stringify(openapi("0.1.0"))))
})

test("real responses are what the OpenAPI document has, for every path and status", async (t) => {
  const { get, post, source } = await start(t)
  const check = "/api/v1/sites/{name}/check"
  const seen = new Set<string>()
  const holds = async (path: string, method: string, response: Response): Promise<void> => {
    const described = responsesOf(path, method)[response.status]
    assert.ok(described, `${method} ${path} ${response.status}`)
    seen.add(`${method} ${path} ${response.status}`)
    const [, name] = /#\/components\/schemas\/(\w+)/.exec(JSON.stringify(described)) ?? []
    if (name === undefined) return
    const body = await response.text()
    const result = schemaOf(name).safeParse(JSON.parse(body))
    assert.equal(result.error?.message, undefined, `${method} ${path} ${response.status}: ${body.slice(0, 2000)}`)
  }
  const fresh = async (path: string): Promise<Response> =>
    get(path, { headers: { "if-none-match": (await get(path)).headers.get("etag") ?? "" } })

  await holds("/api/v1/sites", "get", await get("/api/v1/sites"))
  await holds("/api/v1/sites", "get", await fresh("/api/v1/sites"))
  await holds("/api/v1/sites", "get", await get("/api/v1/sites?state=x"))
  for (const { name } of source.current().sites)
    await holds("/api/v1/sites/{name}", "get", await get(`/api/v1/sites/${name}`))
  await holds("/api/v1/sites/{name}", "get", await fresh("/api/v1/sites/bonn-2"))
  await holds("/api/v1/sites/{name}", "get", await get("/api/v1/sites/nobody"))
  await holds("/api/v1/summary", "get", await get("/api/v1/summary"))
  await holds("/api/v1/summary", "get", await fresh("/api/v1/summary"))
  await holds("/api/v1/openapi.json", "get", await get("/api/v1/openapi.json"))
  await holds("/api/v1/openapi.json", "get", await fresh("/api/v1/openapi.json"))
  await holds("/api/v1/changes", "get", await get("/api/v1/changes"))
  await holds("/api/v1/changes", "get", await fresh("/api/v1/changes"))
  // kept: a response that is garbage closes its stream
  const streams: Response[] = []
  for (let stream = 0; stream <= 256; stream++) streams.push(await get("/api/v1/events?since=x"))
  for (const stream of streams) await holds("/api/v1/events", "get", stream)
  await holds(check, "post", await post("/api/v1/sites/bonn-2/check"))
  await holds(check, "post", await post("/api/v1/sites/bonn-2/check", { headers: { origin: "null" } }))
  await holds(check, "post", await post("/api/v1/sites/nobody/check"))
  source.nextCheck({ kind: "too_soon", retryAfter: 1 })
  await holds(check, "post", await post("/api/v1/sites/bonn-2/check"))
  source.nextCheck({ kind: "busy", retryAfter: 1 })
  await holds(check, "post", await post("/api/v1/sites/bonn-2/check"))
  await forChanges(t, holds)

  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).flatMap(([method, { responses }]) =>
      Object.keys(responses).map((status) => `${method} ${path} ${status}`),
    ),
  )
  assert.deepEqual([...seen].toSorted(), described.toSorted())
})

/** Every response of what changes sites. */
async function forChanges(
  t: TestContext,
  holds: (path: string, method: string, response: Response) => Promise<void>,
): Promise<void> {
  const { send, file, verdict } = await serveSitesApi(t)
  const site = { url: "https://kiel-1.example.org", labels: { location: "Kiel" }, token: { file: "tokens/kiel-1" } }
  const operations = [
    ["post", "", { name: "kiel-1", ...site }],
    ["patch", "/bonn-2", { interval: "1m" }],
    ["post", "/bonn-2/pause", { why: "moves" }],
    ["post", "/bonn-2/resume", {}],
    ["delete", "/bonn-2", {}],
  ] as const
  for (const [method, path, body] of operations) {
    const described = `/api/v1/sites${path.replace("bonn-2", "{name}")}`
    const text = `${SITES_FILE}    paused: true\n`
    const request = async (what: object | string, headers: Record<string, string> = {}, to: string = path) =>
      holds(described, method, await send(method.toUpperCase(), to, what, headers))
    writeFileSync(file, text)
    await request("{")
    await request(body, { authorization: "Bearer wrong-token-of-nobody" })
    await request(body, { authorization: "", "x-user": "eve" })
    if (path === "") await request({ name: "bonn-2", ...site })
    else await request(body, {}, path.replace("bonn-2", "nobody"))
    await request(body, { "if-match": '"x"' })
    await request(`{"why":"${"x".repeat(70_000)}"}`)
    await request("x", { "content-type": "text/plain" })
    writeFileSync(file, `${text}  - name: broken\n`)
    await request(body)
    writeFileSync(file, text)
    chmodSync(file, 0o444)
    await request(body)
    chmodSync(file, 0o644)
    verdict.confirmed = undefined
    await request(body)
    verdict.confirmed = new Date()
    writeFileSync(file, text)
    await request(body)
  }
}

test("the schemas refuse what is not in them", async (t) => {
  const { get } = await start(t)
  const schema = schemaOf("Sites")
  const list = (await (await get("/api/v1/sites")).json()) as { readonly sites: readonly object[] }
  const withFirst = (patch: object) => ({ ...list, sites: [{ ...list.sites[0], ...patch }] })
  const values = [
    list,
    withFirst({ state: "green" }),
    withFirst({ token: "secret" }),
    withFirst({ since: "yesterday" }),
    withFirst({ series: -1 }),
    { ...list, as_of: null },
  ]
  assert.deepEqual(
    values.map((value) => schema.safeParse(value).success),
    [true, false, false, false, false, false],
  )
})
