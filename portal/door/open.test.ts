import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { Registry } from "prom-client"
import { openAgent } from "#core/http/agent.ts"
import { serve } from "#core/http/server.ts"
import { createLogger } from "#core/log/logger.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { freePort } from "../../dev/testing/free-port.ts"
import { openAccess } from "../access/access.ts"
import { addAccess } from "../access/hook.ts"
import type { AccessSettings } from "../access/settings.ts"
import { network } from "../access/networks.ts"
import { sendFrom } from "../access/testing.ts"
import { openDoor } from "./open.ts"
import type { DoorSettings } from "./settings.ts"
import { type Received, standIn } from "./testing.ts"

const NONE: DoorSettings = {
  passthrough: true,
  passthroughAddress: undefined,
  prometheusExternalUrl: undefined,
  grafanaUrl: undefined,
  grafanaExternalUrl: undefined,
}

const EVERYBODY: AccessSettings = {
  authHeader: undefined,
  authProxy: [],
  authGroupsHeader: undefined,
  adminGroup: undefined,
  adminTokenFile: undefined,
}

interface Opened {
  readonly webConfigFile?: string
  readonly access?: Partial<AccessSettings>
  readonly shard?: string
}

async function open(t: TestContext, settings: Partial<DoorSettings>, prometheusUrl: string, opened: Opened = {}) {
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", () => undefined)
  const agent = openAgent({})
  t.after(() => agent.destroy())
  const prometheus = { url: new URL(prometheusUrl), sending: () => ({ agent, headers: {} }), shard: opened.shard }
  const registry = new Registry()
  const now = () => new Date()
  const access = await openAccess({ ...EVERYBODY, ...opened.access }, { log, registry, env: {}, now })
  t.after(() => access.close())
  const { webConfigFile } = opened
  const door = openDoor({ ...NONE, ...settings }, { prometheus, webConfigFile, access, log, registry })
  t.after(() => door.close())
  const page = await serve({
    addresses: [{ host: "127.0.0.1", port: 0 }],
    webConfigFile: undefined,
    registry,
    log,
    async routes(app) {
      addAccess(app, access)
      await door.addTo(app)
    },
  })
  t.after(() => page.close())
  await door.listen()
  const url = `http://127.0.0.1:${page.addresses[0]?.port}`
  return { links: door.links, url, status: async (path: string): Promise<number> => (await fetch(url + path)).status }
}

/** Without the portal's own looks at the version. */
const passedOn = (received: readonly Received[]): readonly Received[] =>
  received.filter(({ url }) => !url.endsWith("/status/buildinfo"))

const QUERY = "/prometheus/api/v1/query"

test("both are passed through on the page's address, which links there", async (t) => {
  const { url } = await standIn(t)
  const { links, status } = await open(t, { grafanaUrl: new URL(`${url}/grafana/`) }, `${url}/prometheus`)
  assert.deepEqual(links, { prometheus: "/prometheus", grafana: "/grafana" })
  assert.deepEqual([await status(QUERY), await status("/grafana/api/search")], [200, 200])
})

test("a Prometheus with another path is not passed through", async (t) => {
  const { url } = await standIn(t)
  for (const path of ["", "/", "/prom/", "/prometheus/x"]) {
    const { links, status } = await open(t, {}, url + path)
    assert.deepEqual([links, await status(QUERY)], [{}, 404])
  }
})

test("the link to one of several Prometheus says which", async (t) => {
  const { url } = await standIn(t)
  const shard = { shard: "a" }
  assert.deepEqual((await open(t, {}, `${url}/prometheus`, shard)).links, {
    prometheus: "/prometheus",
    prometheusOf: "a",
  })
  const all = { prometheusExternalUrl: new URL("https://all.example.org/") }
  assert.deepEqual((await open(t, all, `${url}/prometheus`, shard)).links, { prometheus: "https://all.example.org" })
})

test("external URLs lead the page elsewhere", async (t) => {
  const { url } = await standIn(t)
  const external = { prometheusExternalUrl: new URL("https://a.example.org/prometheus/") }
  assert.deepEqual((await open(t, external, `${url}/prometheus/`)).links, {
    prometheus: "https://a.example.org/prometheus",
  })
})

test("passing through is turned off", async (t) => {
  const { url } = await standIn(t)
  const off = { passthrough: false, grafanaUrl: new URL(`${url}/grafana/`) }
  const { links, status } = await open(t, off, `${url}/prometheus/`)
  assert.deepEqual([links, await status(QUERY), await status("/grafana/api/search")], [{}, 404, 404])
})

test("an address of its own has both in place of the page's, behind the same web configuration", async (t) => {
  const { url, received } = await standIn(t)
  const users = "basic_auth_users: {alice: $2b$04$x3Wn.7XN6vqvRzCkZBpTBOaMLuwwIfZ7TBjMnXHJ1UfPWRmvB6UEa}\n"
  const webConfigFile = await temporaryFolder(t).write("web.yml", users)
  const port = await freePort()
  const address = { passthroughAddress: { host: "127.0.0.1", port } }
  const { links, status } = await open(t, address, `${url}/prometheus/`, { webConfigFile })
  assert.deepEqual([links, await status(QUERY)], [{}, 404])
  const there = `http://127.0.0.1:${port}`
  assert.deepEqual([(await fetch(there + QUERY)).status, passedOn(received)], [401, []])
})

test("an address of its own serves nothing else", async (t) => {
  const { url } = await standIn(t)
  const port = await freePort()
  await open(t, { passthroughAddress: { host: "127.0.0.1", port } }, `${url}/prometheus/`)
  const found = await Promise.all(
    [QUERY, "/", "/api/v1/sites", "/metrics"].map(
      async (path) => (await fetch(`http://127.0.0.1:${port}${path}`)).status,
    ),
  )
  assert.deepEqual(found, [200, 404, 404, 404])
})

test("users by a header are known to Grafana by what the portal found, and strangers reach neither", async (t) => {
  const { url, received } = await standIn(t)
  const proxy = network("127.0.0.2/32")
  assert.ok(!("reason" in proxy))
  const portal = await open(t, { grafanaUrl: new URL(`${url}/grafana/`) }, `${url}/prometheus/`, {
    access: { authHeader: "x-webauth-user", authProxy: [proxy] },
  })
  const paths = ["/grafana/api/search", QUERY]
  const headers = [["X-WEBAUTH-USER", "alice"]] as const
  const statuses = async (from: string) =>
    Promise.all(paths.map(async (path) => (await sendFrom(portal.url, path, { from, headers })).status))
  assert.deepEqual(await statuses("127.0.0.1"), [401, 401])
  assert.deepEqual(passedOn(received), [])
  assert.deepEqual(await statuses("127.0.0.2"), [200, 200])
  const users = Object.fromEntries(
    passedOn(received).map((got) => [got.url.split("?")[0], got.headers["x-webauth-user"]]),
  )
  assert.deepEqual(users, { "/grafana/api/search": "alice", [QUERY]: undefined })
})

for (const [settings, message] of [
  [
    { grafanaUrl: new URL("http://grafana:3000/") },
    "--grafana.url: must have the path /grafana/, below which Grafana has its pages",
  ],
  [
    { passthroughAddress: { host: "127.0.0.1", port: 0 } },
    "--web.passthrough-address: cannot be given where nothing is passed through",
  ],
] as const) {
  test(`refuses ${message}`, async (t) => {
    await assert.rejects(open(t, settings, "http://127.0.0.1:1/"), { name: "UsageError", message })
  })
}
