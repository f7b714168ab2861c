import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { TIMEOUTS } from "#core/http/listener.ts"
import { until } from "../../../../dev/testing/until.ts"
import { fakeOpa, HOLDS, PATHS, queryResponse, startTestExporter, targetOf, targetsOf } from "./testing.ts"

const golden = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8")

test("exports counts, agreement and health of every pod at the first scrape", async (t) => {
  const good = await fakeOpa(t, () => HOLDS)
  const other = await fakeOpa(t, () =>
    queryResponse([
      { keys: 3, digest: "n1" },
      { keys: 2, members: 6, digest: "s2" },
    ]),
  )
  const empty = await fakeOpa(t, () => queryResponse([undefined, { keys: 0, members: 0, digest: "s0" }]))
  const broken = await fakeOpa(t, () => ({ status: 500 }))
  const targets = targetsOf([
    targetOf(good.port, { pod: "opa-a" }),
    targetOf(good.port, { pod: "opa-b", node: 'node "b"\\', ready: false }),
    targetOf(other.port, { pod: "opa-c" }),
    targetOf(empty.port, { pod: "opa-d" }),
    targetOf(broken.port, { pod: "opa-e" }),
  ])
  const exporter = await startTestExporter(t, targets, [...PATHS, "--cluster-name", 'a "cluster"\nin C:\\'])
  assert.equal(await exporter.scrape(), golden("mixed.prom"))
})

test("a pod that cannot be read any more loses its series, and gets them back", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), PATHS)
  const before = await exporter.scrape()
  assert.deepEqual(await exporter.series("opa_up"), ['opa_up{pod_name="opa-0"} 1'])

  opa.respond = () => ({ status: 503 })
  await exporter.collect()
  assert.deepEqual(await exporter.series("opa_up"), ['opa_up{pod_name="opa-0"} 0'])
  assert.deepEqual(await exporter.series("opa_down_reason"), [
    'opa_down_reason{pod_name="opa-0",reason="server_error"} 1',
  ])
  for (const name of [
    "opa_cluster_data_items",
    "opa_namespaced_data_items",
    "opa_data_path_defined",
    "opa_data_in_sync",
  ]) {
    assert.deepEqual(await exporter.series(name), [])
  }
  await exporter.collect()
  assert.equal(exporter.log().match(/"cannot be read" what=opa\/opa-0 reason="it responds with status 503/g)?.length, 1)

  opa.respond = () => HOLDS
  exporter.clock.now = new Date("2026-03-10T12:00:30Z")
  await exporter.collect()
  const timeless = (text: string): string =>
    text.replaceAll(/^(?:opa_data_exporter_collection_time|.*_timestamp_seconds).*\n/gm, "")
  assert.equal(timeless(await exporter.scrape()), timeless(before))
  assert.match(exporter.log(), /"no longer missing" what=opa\/opa-0/)
})

test("a pod that leaves ends, one that comes is there with the next collection", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const targets = targetsOf([targetOf(opa.port, { pod: "opa-a" })])
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.equal((await exporter.scrape()).includes("opa-a"), true)
  targets.list = [targetOf(opa.port, { pod: "opa-b" })]
  await exporter.collect()
  const after = await exporter.scrape()
  assert.deepEqual([after.includes("opa-a"), after.includes("opa-b")], [false, true])
})

test("without any pod there is no series of one, and health has the reason", async (t) => {
  const targets = targetsOf([])
  const exporter = await startTestExporter(t, targets, PATHS)
  await exporter.scrape()
  const ready = async (): Promise<string> => (await fetch(`${exporter.url}/-/ready`)).text()
  assert.equal(await ready(), "Ready.\n")
  targets.trouble = "There is no service opa in the namespace opa."
  await exporter.collect()
  assert.equal(await ready(), "There is no service opa in the namespace opa.\n")
  assert.equal((await fetch(`${exporter.url}/-/healthy`)).status, 200)
  assert.deepEqual(await exporter.series("opa_up"), [])
  assert.deepEqual(await exporter.series("opa_data_exporter_discovery_up"), ["opa_data_exporter_discovery_up{} 0"])
})

test("a service without pods is missing, is logged and has no pods, beside one that has some", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const targets = targetsOf([targetOf(opa.port)])
  targets.deserted = [{ namespace: "opa", service: "second" }]
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.deepEqual(
    (await exporter.scrape()).match(/^(?:opa_data_service_pods|fedstack_exporter_collector_(?:up|missing)).*/gm),
    [
      'opa_data_service_pods{cluster_name="cluster42",opa_namespace="opa",opa_service="second"} 0',
      'opa_data_service_pods{cluster_name="cluster42",opa_namespace="opa",opa_service="opa"} 1',
      'fedstack_exporter_collector_up{collector="opa-data"} 0',
      'fedstack_exporter_collector_missing{collector="opa-data"} 1',
    ],
  )
  assert.match(
    exporter.log(),
    /msg="cannot be read" what="service second" reason="it has no pods in the namespace opa: look at what it selects"\n/,
  )
})

test("the collector is up only where every OPA was read, and names the others", async (t) => {
  const [good, dead] = [await fakeOpa(t, () => HOLDS), await fakeOpa(t, () => ({ status: 500 }))]
  const targets = targetsOf([targetOf(good.port), ...["a", "b"].map((pod) => targetOf(dead.port, { pod }))])
  const exporter = await startTestExporter(t, targets, PATHS)
  const status = async () =>
    (await exporter.scrape()).match(/(?<=^fedstack_exporter_collector_)(?:up|missing|last).*/gm)
  assert.deepEqual(await status(), ['up{collector="opa-data"} 0', 'missing{collector="opa-data"} 2'])
  assert.deepEqual(exporter.log().match(/(?<="cannot be read" )what=.*/g), [
    'what=opa/a reason="it responds with status 500"',
    'what=opa/b reason="it responds with status 500"',
  ])
  dead.respond = () => HOLDS
  await exporter.collect()
  assert.deepEqual(await status(), [
    'up{collector="opa-data"} 1',
    'missing{collector="opa-data"} 0',
    'last_success_timestamp_seconds{collector="opa-data"} 1773144000',
  ])
})

test("the collector is not up while the first list of OPAs is still to come", async (t) => {
  const listed = Promise.withResolvers<void>()
  const targets = { ...targetsOf([]), first: listed.promise }
  const exporter = await startTestExporter(t, targets, [...PATHS, "--timeout", "0.1"])
  const up = (): Promise<readonly string[]> => exporter.series("fedstack_exporter_collector_up")
  assert.deepEqual(await up(), ['fedstack_exporter_collector_up{collector="opa-data"} 0'])
  assert.deepEqual(await exporter.series("opa_data_exporter_discovery_up"), ["opa_data_exporter_discovery_up{} 0"])
  assert.match(exporter.log(), /what="list of OPAs" reason="there is no response from Kubernetes within 0.1 s"/)
  listed.resolve()
  await exporter.collect()
  assert.deepEqual(await up(), ['fedstack_exporter_collector_up{collector="opa-data"} 1'])
})

test("trouble of the discovery leaves the pods that are known", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const targets = targetsOf([targetOf(opa.port)])
  targets.trouble = "Kubernetes does not respond."
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.deepEqual(await exporter.series("opa_up"), ['opa_up{pod_name="opa-0"} 1'])
  assert.deepEqual(await exporter.series("opa_data_exporter_discovery_up"), ["opa_data_exporter_discovery_up{} 0"])
  assert.equal((await fetch(`${exporter.url}/-/ready`)).status, 200)
})

test("collected on scrape, every scrape reads the pods, and scrapes at the same time read them once", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--collect", "scrape"])
  assert.equal(opa.requests.length, 0)
  await exporter.scrape()
  assert.equal(opa.requests.length, 1)
  await Promise.all([exporter.scrape(), exporter.scrape(), exporter.scrape()])
  assert.equal(opa.requests.length, 2)
})

test("500 pods are read by a bounded number of requests at the same time", async (t) => {
  let most = 0
  const response = (): typeof HOLDS => {
    most = Math.max(
      most,
      opas.map(({ sockets }) => sockets.opened - sockets.closed).reduce((sum, open) => sum + open),
    )
    return HOLDS
  }
  const opas = await Promise.all(Array.from({ length: 100 }, () => fakeOpa(t, response)))
  const list = Array.from({ length: 500 }, (_, index) =>
    targetOf(opas[index % 100]?.port ?? 0, { pod: `opa-${index}` }),
  )
  const flags = [...PATHS, "--interval", "3600", "--timeout", "3000"]
  const exporter = await startTestExporter(t, targetsOf(list), flags)
  await exporter.collect() // a scrape does not wait for as long as it may take
  assert.equal((await exporter.series("opa_up")).filter((line) => line.endsWith(" 1")).length, 500)
  assert.ok(most > 4 && most <= 32, `${most} connections`)
})

test("pods that hang hold up no others, and the collection ends in time", async (t) => {
  const [good, hanging] = [await fakeOpa(t, () => HOLDS), await fakeOpa(t, () => ({ end: "hang" }))]
  const list = Array.from({ length: 100 }, (_, index) => targetOf(hanging.port, { pod: `hanging-${index}` }))
  const targets = targetsOf([...list, targetOf(good.port, { pod: "opa-good" })])
  const exporter = await startTestExporter(t, targets, [...PATHS, "--interval", "3"])
  const ups = await exporter.series("opa_up")
  assert.deepEqual([ups.length, ups.filter((line) => !line.endsWith(" 0"))], [101, ['opa_up{pod_name="opa-good"} 1']])
  assert.match(await exporter.scrape(), /^opa_data_exporter_collection_time_bucket\{.*le="5.0"\} /m)
})

test("the number of pods is that of the pods that were read", async (t) => {
  const targets = targetsOf([])
  const opa = await fakeOpa(t, () => ((targets.list = []), HOLDS))
  targets.list = [targetOf(opa.port)]
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.deepEqual(await exporter.series("opa_data_exporter_pods"), ["opa_data_exporter_pods{} 1"])
})

test("OPAs behind one address do not wait for each other", { timeout: 60_000 }, async (t) => {
  const other = Promise.withResolvers<void>()
  const gateway = await fakeOpa(t, ({ url }) => {
    if (url.startsWith("/a/")) return other.promise.then(() => HOLDS)
    other.resolve()
    return HOLDS
  })
  const url = `http://127.0.0.1:${gateway.port}`
  const flags = ["--opa-url", `${url}/a`, "--opa-url", `${url}/b`, "--interval", "3600", "--timeout", "1800"]
  const exporter = await startTestExporter(t, undefined, [...PATHS, ...flags])
  assert.deepEqual(await exporter.series("opa_up"), [
    `opa_up{pod_name="127.0.0.1:${gateway.port}/a"} 1`,
    `opa_up{pod_name="127.0.0.1:${gateway.port}/b"} 1`,
  ])
})

test("closed, it responds to a scrape that waits for a collection, and ends at once", async (t) => {
  const opa = await fakeOpa(t, () => ({ end: "hang" }))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--collect", "scrape"])
  const scrape = exporter.scrape()
  await until("the request", () => (opa.requests.length > 0 ? true : undefined))
  const begin = performance.now()
  await exporter.close()
  assert.ok(performance.now() - begin < TIMEOUTS.close * 1000) // and not by force, or at the collection's deadline
  assert.match(await scrape, /^fedstack_exporter_collector_up\{collector="opa-data"\} 0$/m)
})

test("a path at which no OPA has anything is logged once", async (t) => {
  const opa = await fakeOpa(t, () => queryResponse([undefined, { keys: 2, members: 7 }]))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), PATHS)
  await exporter.scrape()
  await exporter.collect()
  const lines = exporter.log().match(/level=warn.*/g) ?? []
  assert.deepEqual(
    lines.map((line) => line.replace(/ component=\S+/, "")),
    ['level=warn msg="no OPA has this path, nothing is counted there: check its spelling" path=kubernetes/namespaces'],
  )
})

test("a path at which all OPAs are empty is logged once, and again when that has changed", async (t) => {
  const [empty, other] = [
    await fakeOpa(t, () => queryResponse([{ keys: 0 }, { keys: 1, members: 0 }])),
    await fakeOpa(t, () => queryResponse([undefined, { keys: 0, members: 0 }])),
  ]
  const targets = targetsOf([empty, other].map(({ port }, index) => targetOf(port, { pod: `opa-${index}` })))
  const exporter = await startTestExporter(t, targets, [...PATHS, "--digest", "off"])
  await exporter.scrape()
  await exporter.collect()
  const { respond } = empty
  empty.respond = () => HOLDS
  await exporter.collect()
  empty.respond = respond
  await exporter.collect()
  const lines = ["namespaces", "services"].map(
    (name) => `msg="all OPAs are empty at this path: there is nothing, or they have lost it" path=kubernetes/${name}`,
  )
  assert.deepEqual(exporter.log().match(/msg="all OPAs.*/g), [...lines, ...lines])
})

test("OPAs that refuse all but whole documents are logged once for a service, with the reason, and when they no longer do", async (t) => {
  const whole = { body: '{"result":{"a":{}}}' }
  const refusing = await fakeOpa(t, ({ method, url }) => {
    if (method === "POST") return { status: 401 }
    return url.includes("fedstack") ? { body: "{}" } : whole
  })
  const good = await fakeOpa(t, () => HOLDS)
  const pods = ["opa-a", "opa-b"].map((pod) => targetOf(refusing.port, { pod }))
  const targets = targetsOf([...pods, targetOf(good.port, { service: "other" })])
  const exporter = await startTestExporter(t, targets, PATHS)
  await exporter.scrape()
  await exporter.collect()
  exporter.clock.now = new Date("2026-03-10T12:10:00Z")
  refusing.respond = () => HOLDS
  await exporter.collect()
  assert.deepEqual(exporter.log().match(/(?<=component=exporter )msg="OPAs are.*/g), [
    'msg="OPAs are read whole, for they refuse queries and the package: they accept no write meanwhile, and replicas are compared by counts alone" service=opa/opa pods="opa-a opa-b" reason="it responds with status 401: a token is missing, wrong, or must not read this"',
    'msg="OPAs are no longer read whole" service=opa/opa',
  ])
})

test("OPAs are read whole without a word where that is asked for", async (t) => {
  const opa = await fakeOpa(t, () => ({ body: '{"result":{"a":{}}}' }))
  const flags = [...PATHS, "--opa-read-method", "documents"]
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), flags)
  await exporter.scrape()
  assert.doesNotMatch(exporter.log(), /read whole/)
})

test("why OPAs cannot be found is logged once, and that they can", async (t) => {
  const targets = targetsOf([])
  targets.trouble = "There is no service opa in the namespace opa."
  const exporter = await startTestExporter(t, targets, PATHS)
  await exporter.scrape()
  await exporter.collect()
  targets.trouble = undefined
  await exporter.collect()
  const logged = exporter.log().match(/(?<=component=exporter )msg=.*OPAs.*/g) ?? []
  assert.deepEqual(logged, [
    'msg="cannot be read" what="list of OPAs" reason="There is no service opa in the namespace opa."',
    'msg="no longer missing" what="list of OPAs"',
  ])
})
