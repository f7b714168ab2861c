import assert from "node:assert/strict"
import { test } from "node:test"
import { fakeCloud, openFor, variablesFor } from "./testing.ts"

const GATEWAY =
  "Nova 15 (Ocata) or later is needed. If it is that, a gateway before it drops the header: let it pass in both directions, or set OS_COMPUTE_ENDPOINT_OVERRIDE (compute_endpoint_override in clouds.yaml) to Nova's own address"
const MISSING = "the header OpenStack-API-Version is missing in its response"
const ignores = (url: string, found: string, wayOut: string): string =>
  `compute at ${url} ignores microversion 2.40, without which it cuts lists: ${found}. ${wayOut}`

const refused: readonly (readonly [what: string, header: string | undefined, found: string])[] = [
  ["does not name the microversion", undefined, MISSING],
  ["names an older microversion", "compute 2.1", "it used 2.1 instead"],
  ["names an older microversion of one digit", "compute 2.9", "it used 2.9 instead"],
  ["names that of another service", "volume 3.59", MISSING],
]
for (const [what, header, found] of refused) {
  test(`refuses a response that ${what}, with the way out`, async (t) => {
    const cloud = await fakeCloud(t)
    cloud.respond = (_, response) => {
      response.removeHeader("openstack-api-version")
      if (header !== undefined) response.setHeader("openstack-api-version", header)
      response.end('{"servers":[]}')
    }
    const { get, metrics } = await openFor(t, { env: variablesFor(cloud.url) })
    await assert.rejects(get("compute", "/servers", { microversion: "2.40" }), {
      code: "OPENSTACK_MICROVERSION",
      message: ignores(`${cloud.url}/v2.1/servers`, found, GATEWAY),
    })
    assert.match(await metrics(), /^fedstack_openstack_requests_total\{service="compute",outcome="microversion"\} 1$/m)
  })
}

for (const header of ["compute 2.40", "compute 2.96", "Compute 3.0", "volume 3.0, compute 2.41"]) {
  test(`accepts a response of "${header}"`, async (t) => {
    const cloud = await fakeCloud(t)
    cloud.respond = (_, response) => response.setHeader("openstack-api-version", header).end('{"ok":1}')
    const { get } = await openFor(t, { env: variablesFor(cloud.url) })
    assert.deepEqual(await get("compute", "/servers", { microversion: "2.40" }), { ok: 1 })
  })
}

test("names the address of microversions where the catalog leads to /v2 and a project", async (t) => {
  const cloud = await fakeCloud(t)
  const compute = { interface: "public", region_id: "north", url: `${cloud.url}/compute/v2/4f1c` }
  cloud.catalog = [{ type: "compute", endpoints: [compute] }]
  cloud.respond = (_, response) => {
    response.removeHeader("openstack-api-version")
    response.end('{"servers":[]}')
  }
  const { get } = await openFor(t, { env: variablesFor(cloud.url) })
  const wayOut = `Its address is that of /v2, which knows no microversions: set OS_COMPUTE_ENDPOINT_OVERRIDE (compute_endpoint_override in clouds.yaml) to ${cloud.url}/compute/v2.1, or correct the catalog`
  await assert.rejects(get("compute", "/servers", { microversion: "2.40" }), {
    message: ignores(`${compute.url}/servers`, MISSING, wayOut),
  })
})

test("a request without a microversion needs no header", async (t) => {
  const cloud = await fakeCloud(t)
  assert.deepEqual(await (await openFor(t, { env: variablesFor(cloud.url) })).get(), { ok: true })
})
