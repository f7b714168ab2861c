import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { until } from "../../../../dev/testing/until.ts"
import { fakeOpa, queryAnswer, startTestExporter, targetOf, targetsOf } from "./testing.ts"

const PATHS = ["--opa-cluster-data", "kubernetes/namespaces", "--opa-namespaced-data", "kubernetes/services"]
const golden = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8")
const HOLDS = queryAnswer([
  { keys: 3, digest: "n1" },
  { keys: 2, members: 7, digest: "s1" },
])

test("exports counts, agreement and health of every pod at the first scrape", async (t) => {
  const good = await fakeOpa(t, () => HOLDS)
  const other = await fakeOpa(t, () =>
    queryAnswer([
      { keys: 3, digest: "n1" },
      { keys: 2, members: 6, digest: "s2" },
    ]),
  )
  const empty = await fakeOpa(t, () => queryAnswer([undefined, { keys: 0, members: 0, digest: "s0" }]))
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

test("a pod that can't be read any more loses its series, and gets them back", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), PATHS)
  const before = await exporter.scrape()
  assert.deepEqual(await exporter.series("opa_up"), ['opa_up{pod_name="opa-0"} 1'])

  opa.answer = () => ({ status: 503 })
  await exporter.collect()
  assert.deepEqual(await exporter.series("opa_up"), ['opa_up{pod_name="opa-0"} 0'])
  assert.deepEqual(await exporter.series("opa_down_reason"), ['opa_down_reason{pod_name="opa-0",reason="status"} 1'])
  for (const name of [
    "opa_cluster_data_items",
    "opa_namespaced_data_items",
    "opa_data_path_defined",
    "opa_data_in_sync",
  ]) {
    assert.deepEqual(await exporter.series(name), [])
  }
  await exporter.collect()
  assert.equal(exporter.log().match(/can't read this OPA.*it answers 503/g)?.length, 1)

  opa.answer = () => HOLDS
  exporter.clock.now = new Date("2026-03-10T12:00:30Z")
  await exporter.collect()
  const timeless = (text: string): string =>
    text.replaceAll(/^(?:opa_data_exporter_collection_time|.*_timestamp_seconds).*\n/gm, "")
  assert.equal(timeless(await exporter.scrape()), timeless(before))
  assert.match(exporter.log(), /this OPA can be read again/)
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

test("without any pod there is no series of one, and health tells why", async (t) => {
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

test("trouble of the discovery leaves the pods that are known", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const targets = targetsOf([targetOf(opa.port)])
  targets.trouble = "Kubernetes does not answer."
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.deepEqual(await exporter.series("opa_up"), ['opa_up{pod_name="opa-0"} 1'])
  assert.deepEqual(await exporter.series("opa_data_exporter_discovery_up"), ["opa_data_exporter_discovery_up{} 0"])
  assert.equal((await fetch(`${exporter.url}/-/ready`)).status, 200)
})

test("since when replicas differ is kept until they agree, and begins anew then", async (t) => {
  const [a, b] = [await fakeOpa(t, () => HOLDS), await fakeOpa(t, () => HOLDS)]
  const targets = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  const exporter = await startTestExporter(t, targets, PATHS)
  const since = async (time: string): Promise<readonly string[]> => {
    exporter.clock.now = new Date(`2026-03-10T${time}Z`)
    await exporter.collect()
    const found = await exporter.series("opa_data_out_of_sync_since_timestamp_seconds")
    return found.map((line) =>
      line.replace(/.*data_path="(.*?)".*\} (.*)/, (_, path: string, seconds: string) => {
        return `${path} ${new Date(Number(seconds) * 1000).toISOString().slice(11, 19)}`
      }),
    )
  }
  const LESS = queryAnswer([
    { keys: 3, digest: "n1" },
    { keys: 2, members: 6, digest: "s2" },
  ])
  const OTHER = queryAnswer([
    { keys: 3, digest: "n2" },
    { keys: 2, members: 7, digest: "s1" },
  ])
  assert.deepEqual(await since("12:01:00"), [])
  b.answer = () => LESS
  assert.deepEqual(await since("12:02:00"), ["kubernetes/services 12:02:00"])
  assert.deepEqual(await since("12:03:00"), ["kubernetes/services 12:02:00"])
  b.answer = () => OTHER
  assert.deepEqual(await since("12:04:00"), ["kubernetes/namespaces 12:04:00"])
  b.answer = () => HOLDS
  assert.deepEqual(await since("12:05:00"), [])
  b.answer = () => OTHER
  assert.deepEqual(await since("12:06:00"), ["kubernetes/namespaces 12:06:00"])
  assert.match(exporter.log(), /msg="replicas differ" namespace=opa service=opa path=kubernetes\/services odd=opa-b\n/)
  assert.match(exporter.log(), /msg="replicas agree again" namespace=opa service=opa path=kubernetes\/services/)
})

test("a path stays out of sync while the pod that held something else can't be read", async (t) => {
  const [a, b] = [await fakeOpa(t, () => HOLDS), await fakeOpa(t, () => HOLDS)]
  const targets = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  b.answer = () =>
    queryAnswer([
      { keys: 2, digest: "n2" },
      { keys: 2, members: 7, digest: "s1" },
    ])
  const exporter = await startTestExporter(t, targets, PATHS)
  const state = async (): Promise<readonly string[]> => {
    exporter.clock.now = new Date(exporter.clock.now.getTime() + 30_000)
    await exporter.collect()
    const found = ["opa_data_in_sync", "opa_data_out_of_sync_since_timestamp_seconds"].map((name) =>
      exporter.series(name),
    )
    return (await Promise.all(found)).map((lines) => {
      const value = lines.find((line) => line.includes("kubernetes/namespaces"))?.split(" ")[1]
      return value ?? "none"
    })
  }
  const SINCE = String(Date.parse("2026-03-10T12:00:00Z") / 1000)
  assert.deepEqual(await state(), ["0", SINCE])
  b.answer = () => ({ status: 500 })
  assert.deepEqual(await state(), ["0", SINCE])
  a.answer = () => ({ status: 500 })
  assert.deepEqual(await state(), ["none", "none"])
  a.answer = () => HOLDS
  assert.deepEqual(await state(), ["0", SINCE])
  targets.list = targets.list.slice(0, 1)
  assert.deepEqual(await state(), ["1", "none"])
})

test("replicas are compared within their service only", async (t) => {
  const [a, b] = [
    await fakeOpa(t, () => HOLDS),
    await fakeOpa(t, () => queryAnswer([{ keys: 1 }, { keys: 1, members: 1 }])),
  ]
  const targets = targetsOf([targetOf(a.port, { service: "one" }), targetOf(b.port, { service: "two" })])
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.deepEqual(
    (await exporter.series("opa_data_in_sync")).map((line) => line.at(-1)),
    ["1", "1", "1", "1"],
  )
})

test("digests are asked for in their own interval, counts in every collection", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const flags = [...PATHS, "--digest-interval", "5m"]
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), flags)
  await exporter.scrape()
  for (const time of ["12:01", "12:04", "12:05", "12:06"]) {
    exporter.clock.now = new Date(`2026-03-10T${time}:00Z`)
    await exporter.collect()
  }
  assert.deepEqual(
    opa.requests.map(({ body }) => body.includes("sha256")),
    [true, false, false, true, false],
  )
  assert.deepEqual(await exporter.series("opa_data_digest_interval_seconds"), [
    "opa_data_digest_interval_seconds{} 300",
  ])
  assert.deepEqual(await exporter.series("opa_data_digest_timestamp_seconds"), [
    `opa_data_digest_timestamp_seconds{} ${Date.UTC(2026, 2, 10, 12, 5) / 1000}`,
  ])
})

test("replicas that differed for a moment agree again with the next collection, however rare digests are", async (t) => {
  const of = (digest: string) =>
    queryAnswer([
      { keys: 3, digest },
      { keys: 2, members: 7 },
    ])
  const [a, b] = [await fakeOpa(t, () => of("new")), await fakeOpa(t, () => of("old"))]
  const targets = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  const exporter = await startTestExporter(t, targets, [...PATHS, "--digest-interval", "1h"])
  const inSync = async () => (await exporter.series("opa_data_in_sync"))[0]?.at(-1)
  assert.equal(await inSync(), "0")
  b.answer = () => of("new")
  exporter.clock.now = new Date("2026-03-10T12:00:30Z")
  await exporter.collect()
  assert.equal(await inSync(), "1")
})

test("digests that take an OPA long are asked for more rarely, and that is told", async (t) => {
  const opa = await fakeOpa(t, () => ({
    body: '{"metrics":{"timer_server_handler_ns":2000000000},"result":[{"r":[[],[]]}]}',
  }))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--digest-budget", "0.02"])
  assert.deepEqual(await exporter.series("opa_data_digest_interval_seconds"), [
    "opa_data_digest_interval_seconds{} 100",
  ])
})

test("an OPA that can't make digests in time is counted without, and not asked for them each time", async (t) => {
  const opa = await fakeOpa(t, ({ body }) => (body.includes("sha256") ? { end: "hang" } : HOLDS))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--timeout", "0.9"])
  const ups: (string | undefined)[] = []
  for (const second of [0, 30, 59, 60]) {
    exporter.clock.now = new Date(Date.UTC(2026, 2, 10, 12, 0, second))
    if (second > 0) await exporter.collect()
    ups.push((await exporter.series("opa_up"))[0])
  }
  assert.deepEqual(new Set(ups), new Set(['opa_up{pod_name="opa-0"} 1']))
  const [line = ""] = await exporter.series("opa_data_digest_interval_seconds")
  assert.equal(Math.round(Number(line.split(" ")[1])), 60)
  assert.equal(opa.requests.filter(({ body }) => body.includes("sha256")).length, 2)
})

test("without digests none are asked for or shown", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--digest", "off"])
  assert.doesNotMatch(await exporter.scrape(), /^opa_data_digest/m)
  assert.doesNotMatch(opa.requests[0]?.body ?? "", /sha256/)
})

test("collected on scrape, every scrape asks the pods, and scrapes at the same time ask them once", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--collect", "scrape"])
  assert.equal(opa.requests.length, 0)
  await exporter.scrape()
  assert.equal(opa.requests.length, 1)
  await Promise.all([exporter.scrape(), exporter.scrape(), exporter.scrape()])
  assert.equal(opa.requests.length, 2)
})

test("500 pods are asked by a bounded number of requests at once", async (t) => {
  const opa = await fakeOpa(t, () => HOLDS)
  const list = Array.from({ length: 500 }, (_, index) => targetOf(opa.port, { pod: `opa-${index}` }))
  const exporter = await startTestExporter(t, targetsOf(list), PATHS)
  assert.equal((await exporter.series("opa_up")).filter((line) => line.endsWith(" 1")).length, 500)
  assert.ok(opa.sockets.opened <= 64, `${opa.sockets.opened} connections`)
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

test("the number of pods is that of the pods that were asked", async (t) => {
  const targets = targetsOf([])
  const opa = await fakeOpa(t, () => ((targets.list = []), HOLDS))
  targets.list = [targetOf(opa.port)]
  const exporter = await startTestExporter(t, targets, PATHS)
  assert.deepEqual(await exporter.series("opa_data_exporter_pods"), ["opa_data_exporter_pods{} 1"])
})

test("OPAs behind one address don't wait for one of them that hangs", async (t) => {
  const gateway = await fakeOpa(t, ({ url }) => (url.startsWith("/a/") ? { end: "hang" } : HOLDS))
  const url = `http://127.0.0.1:${gateway.port}`
  const flags = ["--opa-url", `${url}/a`, "--opa-url", `${url}/b`, "--timeout", "0.9"]
  const exporter = await startTestExporter(t, undefined, [...PATHS, ...flags])
  assert.deepEqual(await exporter.series("opa_up"), [
    `opa_up{pod_name="127.0.0.1:${gateway.port}/a"} 0`,
    `opa_up{pod_name="127.0.0.1:${gateway.port}/b"} 1`,
  ])
})

test("told to end, it answers a scrape that waits for a collection, and ends at once", async (t) => {
  const opa = await fakeOpa(t, () => ({ end: "hang" }))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [...PATHS, "--collect", "scrape"])
  const scrape = exporter.scrape()
  await until("the request", () => (opa.requests.length > 0 ? true : undefined))
  const begin = performance.now()
  await exporter.close()
  assert.ok(performance.now() - begin < 2000)
  assert.match(await scrape, /^fedstack_exporter_collector_up\{collector="opa-data"\} 0$/m)
})

test("a path at which no OPA has anything is told once", async (t) => {
  const opa = await fakeOpa(t, () => queryAnswer([undefined, { keys: 2, members: 7 }]))
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), PATHS)
  await exporter.scrape()
  await exporter.collect()
  const lines = exporter.log().match(/level=warn.*/g) ?? []
  assert.deepEqual(
    lines.map((line) => line.replace(/ component=\S+/, "")),
    ['level=warn msg="no OPA has anything at this path: is it right?" path=kubernetes/namespaces'],
  )
})

test("why OPAs can't be found is told once, and when they can", async (t) => {
  const targets = targetsOf([])
  targets.trouble = "There is no service opa in the namespace opa."
  const exporter = await startTestExporter(t, targets, PATHS)
  await exporter.scrape()
  await exporter.collect()
  targets.trouble = undefined
  await exporter.collect()
  const told = exporter.log().match(/(?<=component=exporter )msg=.*OPAs.*/g) ?? []
  assert.deepEqual(told, [
    'msg="the list of OPAs is not whole, or may be outdated" reason="There is no service opa in the namespace opa."',
    'msg="the list of OPAs is up to date again"',
  ])
})
