import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { until } from "../../../../dev/testing/until.ts"
import { createLogger } from "#core/log/logger.ts"
import {
  exposed,
  type FakeObject,
  fakeCluster,
  gateway,
  objectsIn,
  scopeOfAll,
  type Serves,
} from "./cluster.testing.ts"
import { collectOnScrape } from "./on-scrape.ts"
import { collectOnWatch } from "./on-watch.ts"
import type { Scope } from "./scope.ts"

const GROUP = "gateway.networking.k8s.io"
const GATEWAYS: Serves = { [GROUP]: { v1: ["gateways"] } }
const OPEN = /^gateway_metrics_watch_open\{.*\} 1$/m

test("what is followed is exported as it is listed", async (t) => {
  const { cluster, scrape, watch } = await start(t, GATEWAYS)
  cluster.put("gateways", gateway("one", "True"))
  cluster.put("gateways", gateway("two", "True"))
  await until("the watch", () => (cluster.watching() === 1 ? true : undefined))
  cluster.put("gateways", gateway("two", "False"))
  cluster.put("gateways", gateway("three", "Unknown"))
  cluster.remove("gateways", "infra/one")
  await sees(watch, /gateways?_status\{.*name="three".*\} 0/)
  const text = await objectsIn(watch())
  assert.equal(text, await objectsIn(await scrape()))
  assert.equal(text.match(/^gatewayapi_gateway_status\{/gm)?.length, 2)
})

test("only listed namespaces are followed, and each object of them is exported", async (t) => {
  const { cluster, scrape, watch } = await start(t, GATEWAYS, { namespaces: ["a", "b"] })
  for (const namespace of ["a", "b", "c"]) cluster.put("gateways", gateway("one", "True", namespace))
  await until("both watches", () => (cluster.watching() === 2 ? true : undefined))
  for (const namespace of ["a", "b", "c"]) cluster.put("gateways", gateway("two", "False", namespace))
  await sees(watch, /gatewayapi_gateway_status\{.*namespace="b",name="two".*\} 0/)
  const text = await objectsIn(watch())
  assert.equal(text, await objectsIn(await scrape()))
  assert.deepEqual([...new Set([...text.matchAll(/namespace="(.)"/g)].map(([, name]) => name))], ["a", "b"])
})

test("is not up and not ready before everything was listed once", async (t) => {
  const { cluster, watch, notReady } = await start(t, GATEWAYS, {}, ({ query }) => !query.has("watch"))
  await until("a request", () => cluster.requests[0])
  assert.match(await exposed(watch()), /^gateway_metrics_up 0$/m)
  assert.equal(notReady(), "The first lists are still under way.")
})

test("objects of a list that broke off do not stay", async (t) => {
  let lists = 0
  const gone: FakeObject = gateway("gone", "True")
  const { cluster, watch } = await start(t, GATEWAYS, {}, ({ path, query }, response) => {
    if (!path.endsWith("/gateways") || query.has("watch") || ++lists > 2) return false
    const page = { metadata: { resourceVersion: "5", continue: "next" }, items: [gone] }
    response.writeHead(lists === 1 ? 200 : 410).end(JSON.stringify(lists === 1 ? page : { kind: "Status" }))
    return true
  })
  cluster.put("gateways", gateway("stays", "True"))
  await sees(watch, OPEN)
  assert.doesNotMatch(await exposed(watch()), /"gone"/)
  assert.match(await exposed(watch()), /^gateway_metrics_objects\{.*\} 1$/m)
})

test("a change that nothing exported depends on costs no new text, and is counted", async (t) => {
  const { cluster, watch } = await start(t, GATEWAYS)
  cluster.put("gateways", gateway("one", "True"))
  await sees(watch, OPEN)
  const [before] = watch().families.deflated
  const { metadata, ...rest } = gateway("one", "True")
  cluster.put("gateways", { ...rest, metadata: { ...metadata, annotations: { at: "now" } } })
  await sees(watch, /^gateway_metrics_watch_objects_total\{.*result="unchanged"\} 1$/m)
  assert.match(await exposed(watch()), /^gateway_metrics_watch_objects_total\{.*result="changed"\} 1$/m)
  assert.equal(watch().families.deflated[0], before)
})

test("what is exported while the API is away is marked as outdated, and its age is known", async (t) => {
  const { cluster, watch, at } = await start(t, GATEWAYS)
  cluster.put("gateways", gateway("one", "True"))
  await sees(watch, OPEN)
  at(1000)
  cluster.bookmark("gateways")
  await sees(watch, /^gateway_metrics_watch_last_confirmed_timestamp_seconds\{.*\} 1000$/m)
  const before = await objectsIn(watch())
  at(2000)
  cluster.intercept((_, response) => {
    response.destroy()
    return true
  })
  cluster.endWatches()
  await sees(watch, /^gateway_metrics_watch_open\{.*\} 0$/m)
  const { outdated, missing } = watch()
  assert.equal(outdated, true)
  assert.match(missing.get(`gateways.${GROUP}`) ?? "", /^watch gateways\.gateway\.networking\.k8s\.io: /)
  const text = await exposed(watch())
  assert.match(text, /^gateway_metrics_up 0$/m)
  assert.match(text, /^gateway_metrics_watch_last_confirmed_timestamp_seconds\{.*\} 1000$/m)
  assert.equal(await objectsIn(watch()), before)
  cluster.intercept(() => false)
  await sees(watch, /^gateway_metrics_up 1$/m)
  assert.equal(watch().outdated, false)
})

test("an API that has too many requests is waited for, and the rest stays exported", async (t) => {
  let refused = 0
  const { cluster, watch } = await start(t, GATEWAYS)
  cluster.put("gateways", gateway("one", "True"))
  await sees(watch, OPEN)
  cluster.intercept(({ query }, response) => {
    if (!query.has("watch") || ++refused > 2) return false
    response.writeHead(429, { "retry-after": "1" }).end("{}")
    return true
  })
  cluster.endWatches()
  await sees(watch, /^gateway_metrics_kind_status\{.*status="failed"\} 1$/m)
  assert.match(await exposed(watch()), /^gatewayapi_gateway_info/m)
  await sees(watch, OPEN)
  assert.equal(refused, 3)
})

test("a kind that moves to another version stays exported", async (t) => {
  const { cluster, watch } = await start(t, { [GROUP]: { v1beta1: ["gateways"] } })
  cluster.put("gateways", gateway("one", "True"))
  await sees(watch, /customresource_version="v1beta1"/)
  cluster.served[GROUP] = { v1: ["gateways"] }
  cluster.intercept(({ path }) => path.endsWith("/v1/gateways"))
  cluster.endWatches()
  await until("the list", () => cluster.requests.find((request) => request.endsWith("/v1/gateways")))
  assert.match(await objectsIn(watch()), /^gatewayapi_gateway_info\{.*customresource_version="v1beta1"/m)
  cluster.intercept(() => false)
  cluster.dropConnections()
  await sees(watch, /^gatewayapi_gateway_info\{.*customresource_version="v1"/m)
  assert.doesNotMatch(await objectsIn(watch()), /v1beta1/)
})

test("a kind that is removed is not exported any more, without waiting for the next look", async (t) => {
  const { cluster, watch } = await start(t, GATEWAYS)
  cluster.put("gateways", gateway("one", "True"))
  await sees(watch, OPEN)
  cluster.served[GROUP] = { v1: [] }
  cluster.endWatches()
  await sees(watch, /^gateway_metrics_kind_status\{[^}]*"Gateway",status="not_installed"\} 1$/m)
  assert.equal(await objectsIn(watch()), "")
  assert.match(await exposed(watch()), /^gateway_metrics_up 1$/m)
})

test("a group that hangs does not keep the others waiting", async (t) => {
  const serves = { ...GATEWAYS, "kuadrant.io": { v1: ["authpolicies"] } }
  const { cluster, watch, notReady } = await start(t, serves, {}, ({ path }) => path.startsWith("/apis/kuadrant.io"))
  cluster.put("gateways", gateway("one", "True"))
  await sees(watch, /^gatewayapi_gateway_info/m)
  assert.match(
    await exposed(watch()),
    /^gateway_metrics_kind_status\{customresource_group="kuadrant.io",customresource_kind="AuthPolicy",status="failed"\} 1$/m,
  )
  assert.equal(notReady(), "The first lists are still under way.")
})

type Watch = ReturnType<typeof collectOnWatch>["collect"]

async function start(
  t: TestContext,
  serves: Serves,
  options: Partial<Scope> = {},
  intercept: Parameters<Awaited<ReturnType<typeof fakeCluster>>["intercept"]>[0] = () => false,
) {
  const cluster = await fakeCluster(t, serves)
  cluster.intercept(intercept)
  const scope = { ...scopeOfAll(serves), ...options }
  let now = 500
  const log = createLogger({ level: "error", format: "logfmt" }, "test", () => undefined)
  const watching = collectOnWatch({ api: cluster.api, scope, now: () => new Date(now * 1000), log })
  t.after(() => watching.close())
  const scrape = collectOnScrape(cluster.api, scope, 10)
  return {
    cluster,
    watch: watching.collect,
    notReady: watching.notReady,
    scrape: () => scrape(t.signal),
    at: (seconds: number) => void (now = seconds),
  }
}

async function sees(watch: Watch, pattern: RegExp): Promise<void> {
  await until(String(pattern), async () => {
    assert.match(await exposed(watch()), pattern)
    return true
  })
}
