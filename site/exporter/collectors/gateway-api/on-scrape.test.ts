import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { exposed, fakeCluster, gateway, scopeOfAll, type Serves } from "./cluster.testing.ts"
import { collectOnScrape } from "./on-scrape.ts"

const GROUP = "gateway.networking.k8s.io"
const SERVES: Serves = { [GROUP]: { v1: ["gateways", "gatewayclasses"] }, "kuadrant.io": { v1: ["authpolicies"] } }

for (const [what, hangs] of [
  ["group", "/apis/kuadrant.io"],
  ["version of a group", "/apis/kuadrant.io/v1"],
  ["list", "/apis/kuadrant.io/v1/authpolicies"],
] as const) {
  test(`a ${what} that hangs ends with the scrape's time, and everything else is served`, async (t) => {
    const { cluster, scrape } = await start(t, 2)
    cluster.put("gateways", gateway("one", "True"))
    cluster.intercept(({ path }) => path === hangs)
    const { families, missing } = await scrape()
    const text = await exposed({ families })
    assert.deepEqual([...missing], [["authpolicies.kuadrant.io", "not done within 2 s"]])
    assert.match(text, /^gatewayapi_gateway_info\{/m)
    assert.match(text, /^gateway_metrics_up 0$/m)
    assert.match(text, /^gateway_metrics_kind_status\{.*"AuthPolicy".*status="failed"\} 1$/m)
    assert.equal(text.match(/status="listed"\} 1$/gm)?.length, 2)
  })
}

test("an API that hangs as a whole ends with the scrape's time", async (t) => {
  const { cluster, scrape } = await start(t, 0.2)
  cluster.intercept(() => true)
  const { families, missing } = await scrape()
  assert.match(await exposed({ families }), /^gateway_metrics_up 0$/m)
  assert.equal(missing.size, 3)
})

test("a token that has expired is reported, and the next scrape has the new one", async (t) => {
  const folder = temporaryFolder(t)
  const tokenFile = await folder.write("token", "old\n")
  const { cluster, scrape } = await start(t, 10, { tokenFile })
  cluster.put("gateways", gateway("one", "True"))
  let valid = "Bearer old"
  cluster.intercept((_, response) => {
    if (response.req.headers.authorization === valid) return false
    response.writeHead(401).end(JSON.stringify({ kind: "Status", message: "Unauthorized" }))
    return true
  })
  assert.equal((await scrape()).missing.size, 0)
  valid = "Bearer new"
  const expired = await scrape()
  assert.match(expired.missing.get(`gateways.${GROUP}`) ?? "", /\(401\): the credentials .* are not valid/)
  assert.match(await exposed(expired), /^gateway_metrics_up 0$/m)
  await folder.write("token", "new\n")
  const renewed = await scrape()
  assert.equal(renewed.missing.size, 0)
  assert.match(await exposed(renewed), /^gatewayapi_gateway_info\{/m)
})

test("a kind that is removed and added again is noticed by the next scrapes", async (t) => {
  const { cluster, scrape } = await start(t, 10)
  cluster.put("gateways", gateway("one", "True"))
  assert.match(await exposed(await scrape()), /^gatewayapi_gateway_info\{/m)
  cluster.served[GROUP] = { v1: ["gatewayclasses"] }
  assert.deepEqual([...(await scrape()).missing.keys()], [`gateways.${GROUP}`])
  const without = await scrape()
  assert.equal(without.missing.size, 0)
  assert.match(await exposed(without), /^gateway_metrics_kind_status\{.*"Gateway",status="not_installed"\} 1$/m)
})

async function start(t: TestContext, timeout: number, user?: object) {
  const cluster = await fakeCluster(t, SERVES, user)
  const scrape = collectOnScrape(cluster.api, scopeOfAll(SERVES), timeout)
  return { cluster, scrape: () => scrape(t.signal) }
}
