import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { temporaryFolder } from "../../../../../dev/testing/folder.ts"
import { fakeCloud, openFor, variablesFor } from "./testing.ts"

/** A cloud of two regions, whose identity service stands in the catalog of one. */
async function twoRegions(t: TestContext) {
  const cloud = await fakeCloud(t)
  const at = (region_id: string, kind = "public") => ({
    interface: kind,
    region_id,
    url: `${cloud.url}/${kind}/${region_id}/v2.1/`,
  })
  cloud.catalog = [
    { type: "identity", endpoints: [{ interface: "public", region_id: "north", url: `${cloud.url}/identity/` }] },
    { type: "compute", endpoints: [at("north", "internal"), at("north"), at("south")] },
    { type: "image", endpoints: [at("east")] },
  ]
  return cloud
}

test("reads each region that is named, with labels that distinguish them", async (t) => {
  const cloud = await twoRegions(t)
  const env = { ...variablesFor(cloud.url), OS_REGION_NAME: "south, north,south" }
  const { apis, metrics } = await openFor(t, { env })
  for (const api of apis) await api.get("compute", "/servers", { signal: new AbortController().signal })
  assert.deepEqual(cloud.requests, ["GET /public/south/v2.1/servers token-1", "GET /public/north/v2.1/servers token-2"])
  assert.deepEqual(
    (await metrics()).split("\n").filter((line) => line.startsWith("fedstack_openstack_requests_total")),
    ["south", "north"].flatMap((region) =>
      ["identity", "compute"].map(
        (service) => `fedstack_openstack_requests_total{service="${service}",outcome="ok",region="${region}"} 1`,
      ),
    ),
  )
})

test("chooses the first of several regions if none is named, and warns of it once", async (t) => {
  const cloud = await twoRegions(t)
  cloud.lifetime = 0 // a sign-in for each request
  const { get, log } = await openFor(t, { env: variablesFor(cloud.url) })
  await get()
  await get()
  assert.deepEqual(cloud.requests, ["GET /public/north/v2.1/servers token-1", "GET /public/north/v2.1/servers token-2"])
  assert.equal(log().match(/level=warn .*the cloud has several regions/g)?.length, 1)
})

test("finds the identity service of another region, and uses interfaces and endpoints as configured", async (t) => {
  const cloud = await twoRegions(t)
  const env = variablesFor(cloud.url)
  await (await openFor(t, { env: { ...env, OS_REGION_NAME: "south" } })).get("identity", "/projects")
  await (await openFor(t, { env: { ...env, OS_REGION_NAME: "north", OS_INTERFACE: "internal" } })).get()
  const override = { OS_COMPUTE_ENDPOINT_OVERRIDE: `${cloud.url}/own/v2.1`, OS_REGION_NAME: "nowhere" }
  await (await openFor(t, { env: { ...env, ...override } })).get()
  assert.deepEqual(cloud.requests, [
    "GET /identity/v3/projects token-1",
    "GET /internal/north/v2.1/servers token-2",
    "GET /own/v2.1/servers token-3",
  ])
})

test("reports unknown regions and interfaces with those that exist, and a catalog without compute", async (t) => {
  const cloud = await twoRegions(t)
  const env = variablesFor(cloud.url)
  const messageOf = async (more: Readonly<Record<string, string>>): Promise<string> => {
    try {
      await (await openFor(t, { env: { ...env, ...more } })).get()
    } catch (error) {
      assert.equal((error as { code?: string }).code, "OPENSTACK_NO_ENDPOINT")
      return (error as Error).message
    }
    throw new Error("there was a response")
  }
  const at = `the cloud at ${cloud.url}/v3`
  assert.equal(
    await messageOf({ OS_REGION_NAME: "east" }),
    `${at} has no region east with a compute service. It has north, south: set OS_REGION_NAME`,
  )
  assert.equal(
    await messageOf({ OS_INTERFACE: "admin" }),
    `the compute service of ${at} has no admin endpoint. It has internal, public: set OS_INTERFACE`,
  )
  cloud.catalog = cloud.catalog.filter(({ type }) => type !== "compute")
  assert.equal(
    await messageOf({}),
    `the catalog of ${cloud.url}/v3 has no compute service: it has only identity, image. Set OS_COMPUTE_ENDPOINT_OVERRIDE to its address, or correct the catalog`,
  )
  cloud.catalog = []
  const { OS_PROJECT_NAME: _, OS_PROJECT_DOMAIN_ID: __, ...user } = env
  const system = await openFor(t, { env: { ...user, OS_SYSTEM_SCOPE: "all" } })
  const domain = await openFor(t, { env: { ...user, OS_DOMAIN_ID: "d" } })
  for (const [scope, { get }] of Object.entries({ system, domain }))
    await assert.rejects(get(), {
      code: "OPENSTACK_NO_ENDPOINT",
      message: `the catalog of ${cloud.url}/v3 has no compute service: it is empty. With a ${scope} scope, endpoints whose address holds a project are left out: sign in to a project, or set OS_COMPUTE_ENDPOINT_OVERRIDE`,
    })
  const counted = 'fedstack_openstack_requests_total{service="identity",outcome="no_endpoint"} 1'
  assert.ok((await system.metrics()).split("\n").includes(counted))
})

test("reports at the start what is missing, where nothing is set and where a cloud is named without a file", async (t) => {
  const { path: HOME } = temporaryFolder(t)
  await assert.rejects(openFor(t, { env: { HOME } }), {
    name: "ConfigurationError",
    message: `the environment: OS_AUTH_URL is missing
the environment: OS_USERNAME (or OS_USER_ID) is missing
the environment: OS_USER_DOMAIN_NAME (or OS_USER_DOMAIN_ID) is missing
the environment: OS_PASSWORD is missing
the environment: OS_PROJECT_NAME (or OS_PROJECT_ID or OS_DOMAIN_NAME or OS_SYSTEM_SCOPE) is missing
OpenStack: set the OS_* variables, or --openrc FILE, or OS_CLOUD with a clouds.yaml; or --dummy-data FILE for a made-up cloud`,
  })
  await assert.rejects(openFor(t, { env: { HOME }, clouds: ["site"] }), {
    message:
      "--os-cloud: names site, but there is no clouds.yaml here, in ~/.config/openstack or in /etc/openstack. OS_CLIENT_CONFIG_FILE can name one",
  })
})

const versions = { versions: [{ id: "v2.0" }, { id: "v2.1", version: "2.93" }] }
const roots: readonly (readonly [what: string, status: number, body: string, path: string])[] = [
  ["lists versions", 200, JSON.stringify(versions), "/compute/v2.1/servers"],
  ["lists versions as choices", 300, JSON.stringify(versions), "/compute/v2.1/servers"],
  ["is the versioned service under another path", 200, '{"version":{"id":"v2.1"}}', "/compute/servers"],
  ["lists other versions only", 200, '{"versions":[{"id":"v3"}]}', "/compute/servers"],
  ["is hidden", 404, "<html>", "/compute/servers"],
]
for (const [what, status, body, path] of roots) {
  test(`finds the version of a compute endpoint without one that ${what}`, async (t) => {
    const cloud = await fakeCloud(t)
    cloud.respond = (request, response) =>
      request.url === "/compute/" ? response.writeHead(status).end(body) : response.end('{"ok":true}')
    const env = variablesFor(cloud.url)
    for (const url of [`${cloud.url}/compute`, `${cloud.url}/compute/`]) {
      cloud.catalog = [{ type: "compute", endpoints: [{ interface: "public", region_id: "north", url }] }]
      assert.deepEqual(await (await openFor(t, { env })).get(), { ok: true })
      const { get } = await openFor(t, { env: { ...env, OS_COMPUTE_ENDPOINT_OVERRIDE: url } })
      assert.deepEqual(await get(), { ok: true })
    }
    const requested = cloud.requests.map((request) => request.split(" ")[1])
    assert.deepEqual(requested, Array.from({ length: 4 }, () => ["/compute/", path]).flat())
  })
}

test("fails, and looks again, where a compute endpoint without a version fails to list its versions", async (t) => {
  const cloud = await fakeCloud(t)
  const url = `${cloud.url}/compute`
  let status = 503
  cloud.respond = (request, response) =>
    request.url === "/compute/"
      ? response.writeHead(status).end(status === 200 ? JSON.stringify(versions) : "<html>")
      : response.end(JSON.stringify({ path: request.url }))
  cloud.catalog = [{ type: "compute", endpoints: [{ interface: "public", region_id: "north", url }] }]
  const { get } = await openFor(t, { env: variablesFor(cloud.url) })
  const message = `compute at ${url}/ responded with 503: it, or a proxy in front of it, is failing`
  await assert.rejects(get(), { code: "OPENSTACK_SERVER_ERROR", message })
  status = 429
  await assert.rejects(get(), { code: "OPENSTACK_RATE_LIMITED" })
  status = 200
  assert.deepEqual(await get(), { path: "/compute/v2.1/servers" })
})

test("requests no versions of a compute endpoint that has one", async (t) => {
  const cloud = await fakeCloud(t)
  for (const path of ["/v2.1", "/v2.1/", "/compute/v2.1/4f1c", "/v2/4f1c"]) {
    cloud.requests.length = 0
    cloud.catalog = [
      { type: "compute", endpoints: [{ interface: "public", region_id: "north", url: cloud.url + path }] },
    ]
    await (await openFor(t, { env: variablesFor(cloud.url) })).get()
    assert.equal(cloud.requests.length, 1)
  }
})
