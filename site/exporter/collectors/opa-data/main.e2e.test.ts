import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { makeAuthority } from "../../../../dev/testing/certificates.ts"
import { start } from "../../../../dev/testing/child.ts"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findOpa, type OpaOptions, type RunningOpa, startOpa } from "../../../../dev/testing/opa.ts"
import { findPrometheus } from "../../../../dev/testing/prometheus.ts"
import { until } from "../../../../dev/testing/until.ts"
import { WAYS } from "./reading.ts"
import type { Target } from "./target.ts"
import { startTestExporter, targetOf, targetsOf } from "./testing.ts"

const root = join(import.meta.dirname, "../../../..")
const PATHS = [
  "--opa-cluster-data=kubernetes/namespaces",
  "--opa-namespaced-data=kubernetes/services,kubernetes/ingresses",
]
const golden = (name: string): string => readFileSync(new URL(`testdata/${name}`, import.meta.url), "utf8")
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

/** An object as Kubernetes has it, less what does not matter here. */
const objectOf = (kind: string, name: string, version: number) => ({
  apiVersion: "v1",
  kind,
  metadata: { name, resourceVersion: String(version), labels: { app: name } },
  spec: { selector: { app: name }, ports: [{ port: 80 }] },
})

/** `count` objects spread over `namespaces` namespaces. */
function spread(kind: string, count: number, namespaces: number): Record<string, Record<string, unknown>> {
  const result: Record<string, Record<string, unknown>> = {}
  for (const index of range(count)) {
    const name = `${kind.toLowerCase()}-${index}`
    result[`ns-${index % namespaces}`] = { ...result[`ns-${index % namespaces}`], [name]: objectOf(kind, name, index) }
  }
  return result
}

/** As kube-mgmt does when it begins: each kind whole. */
async function feed(opa: RunningOpa, [namespaces, services, ingresses]: readonly (readonly [number, number])[]) {
  const names = range(namespaces?.[0] ?? 0).map((index) => `ns-${index}`)
  await opa.put(
    "kubernetes/namespaces",
    Object.fromEntries(names.map((name, i) => [name, objectOf("Namespace", name, i)])),
  )
  await opa.put("kubernetes/services", spread("Service", ...(services ?? [0, 1])))
  await opa.put("kubernetes/ingresses", spread("Ingress", ...(ingresses ?? [0, 1])))
}

const FEW = [
  [4, 1],
  [9, 3],
  [5, 2],
] as const

async function opaOf(t: TestContext, folder: string, options: OpaOptions = {}): Promise<RunningOpa> {
  const opa = await startOpa(folder, options)
  t.after(() => opa.stop())
  return opa
}

const AUTHZ = `package system.authz
import rego.v1
default allow := false
allow if input.path in [[""], ["health"]]
allow if input.identity == "mgmt-t0ken"
`

test("six replicas that drift, refuse, hang, die and come back, step by step", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const files = temporaryFolder(t)
  const authority = makeAuthority("private authority")
  const own = authority.issue({ name: "opa.opa.svc", sans: ["DNS:opa.opa.svc"] })
  const tls = ["cert", "key"].map(async (part) => files.write(`opa.${part}`, own[part === "cert" ? "cert" : "key"]))
  const [certFile = "", keyFile = ""] = await Promise.all(tls)
  const authz = await files.write("authz.rego", AUTHZ)

  const [lacking, changed, hanging, dying] = await Promise.all(range(4).map(() => opaOf(t, folder)))
  const denying = await opaOf(t, folder, {
    flags: ["--authentication=token", "--authorization=basic", authz],
    token: "mgmt-t0ken",
  })
  const secure = await opaOf(t, folder, {
    flags: [`--tls-cert-file=${certFile}`, `--tls-private-key-file=${keyFile}`],
    tls: { ca: authority.cert, serverName: "opa.opa.svc" },
  })
  assert.ok(lacking && changed && hanging && dying)
  for (const opa of [lacking, changed, denying, secure, hanging, dying]) await feed(opa, FEW)

  const target = (pod: string, { port, url }: RunningOpa): Target =>
    targetOf(port, { pod, node: `node-of-${pod}`, scheme: url.startsWith("https:") ? "https" : "http" })
  const others = [
    target("opa-lacking", lacking),
    target("opa-changed", changed),
    target("opa-denying", denying),
    target("opa-secure", secure),
    target("opa-hanging", hanging),
  ]
  const targets = targetsOf([...others, target("opa-dying", dying)])
  const tokenFile = await files.write("token", "wr0ng\n")
  const exporter = await startTestExporter(t, targets, [
    ...PATHS,
    `--opa-ca-file=${await files.write("ca.pem", authority.cert)}`,
    "--opa-server-name=opa.opa.svc",
    `--opa-token-file=${tokenFile}`,
    "--opa-way=query",
    "--timeout=3",
    "--digest-budget=1",
  ])
  const collectAt = async (time: string): Promise<void> => {
    exporter.clock.now = new Date(`2026-03-10T${time}Z`)
    await exporter.collect()
  }

  // all hold the same, and one denies the wrong token
  assert.equal(await exporter.scrape(), golden("1-same-but-denied.prom"))

  // one misses an event, one holds an old version, and the token is the right one now
  await lacking.patch("kubernetes/services", "remove", "/ns-0/service-0")
  await changed.patch("kubernetes/ingresses", "replace", "/ns-1/ingress-1/metadata/resourceVersion", "99")
  await files.write("token", "mgmt-t0ken\n")
  await until("the new token", () => (/read again/.test(exporter.log()) ? true : undefined))
  await collectAt("12:00:30")
  assert.equal(await exporter.scrape(), golden("2-drift.prom"))

  // one hangs, one is gone
  hanging.child.process.kill("SIGSTOP")
  await dying.stop()
  await collectAt("12:01:00")
  assert.equal(await exporter.scrape(), golden("3-hanging-and-dead.prom"))

  // one goes on, the other comes back under another address and begins empty; drift is mended in one
  hanging.child.process.kill("SIGCONT")
  const reborn = await opaOf(t, folder)
  targets.list = [...others, target("opa-dying", reborn)]
  await changed.patch("kubernetes/ingresses", "replace", "/ns-1/ingress-1/metadata/resourceVersion", "1")
  await collectAt("12:01:30")
  assert.equal(await exporter.scrape(), golden("4-back-but-empty.prom"))

  // everything is as it was
  await feed(reborn, FEW)
  await lacking.patch("kubernetes/services", "add", "/ns-0/service-0", objectOf("Service", "service-0", 0))
  await collectAt("12:02:00")
  assert.equal(await exporter.scrape(), golden("5-healed.prom"))
  assert.doesNotMatch(exporter.log(), /t0ken|wr0ng/)
})

test("content is compared where that is asked for, and sees what a resourceVersion hides", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const [a, b] = [await opaOf(t, folder), await opaOf(t, folder)]
  for (const opa of [a, b]) await feed(opa, FEW)
  await b.patch("kubernetes/services", "replace", "/ns-0/service-0/spec/ports/0/port", 8080)
  // what kube-mgmt leaves of a namespace whose last object went: no drift
  await b.patch("kubernetes/ingresses", "add", "/emptied", {})
  const pods = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  const inSync = async (digest: string): Promise<readonly string[]> => {
    const exporter = await startTestExporter(t, pods, [...PATHS, "--digest", digest])
    return (await exporter.series("opa_data_in_sync")).map((line) => line.replace(/.*"(.*)".* /, "$1 "))
  }
  const SAME = ["kubernetes/namespaces 1", "kubernetes/services 1", "kubernetes/ingresses 1"]
  assert.deepEqual(await inSync("resourceVersion"), SAME)
  assert.deepEqual(await inSync("content"), SAME.with(1, "kubernetes/services 0"))
})

const REPLICAS: readonly (readonly [node: string, pod: string])[] = [
  ["gke-cluster42-internal3-81e24bc8-yhzj", "opa-internal-59496d7c7d-hbtm4"],
  ["gke-cluster42-internal3-81e24bc8-tgvn", "opa-internal-59496d7c7d-99wmn"],
  ["gke-cluster42-platform3-e054cd13-e04k", "opa-platform-5f95d4c9c4-sqswt"],
  ["gke-cluster42-platform3-8cc2b449-lbj2", "opa-platform-5f95d4c9c4-jt5jh"],
  ["gke-cluster42-internal3-75de1dd0-tirk", "opa-internal-59496d7c7d-69lst"],
  ["gke-cluster42-platform3-e8feff8e-vrb5", "opa-platform-5f95d4c9c4-6mcwp"],
]

test("for the data of the original's sample its series have the sample's names, labels and values, in every way of reading", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opas = await Promise.all(REPLICAS.map(() => opaOf(t, folder)))
  await Promise.all(
    opas.map((opa) =>
      feed(opa, [
        [453, 1],
        [991, 314],
        [524, 239],
      ]),
    ),
  )
  const policy = spawnSync(join(root, "bin/fedstack"), ["exporter", "opa-data", "--print-package", ...PATHS]).stdout
  for (const opa of opas) assert.equal((await opa.ask("PUT", "/v1/policies/counts", policy.toString())).status, 200)
  const targets = opas.map(({ port }, index) => {
    const [node = "", pod = ""] = REPLICAS[index] ?? []
    return targetOf(port, { node, pod, service: "opa-service" })
  })
  const sample = (name: string, path: string, value: number): readonly string[] =>
    REPLICAS.map(
      ([node, pod]) =>
        `${name}{cluster_name="cluster42",data_path="${path}",node_name="${node}",opa_namespace="opa",opa_service="opa-service",pod_name="${pod}"} ${value}`,
    )
  const expected = [
    ...sample("opa_cluster_data_items", "kubernetes/namespaces", 453),
    ...sample("opa_namespaced_data_items", "kubernetes/services", 991),
    ...sample("opa_namespaced_data_items", "kubernetes/ingresses", 524),
    ...sample("opa_namespaced_data_item_namespaces", "kubernetes/services", 314),
    ...sample("opa_namespaced_data_item_namespaces", "kubernetes/ingresses", 239),
  ]
  for (const way of WAYS) {
    const exporter = await startTestExporter(t, targetsOf(targets), [...PATHS, "--opa-way", way])
    const text = await exporter.scrape()
    const series = text.split("\n").filter((line) => /^opa_(?:cluster|namespaced)_data_item/.test(line))
    assert.deepEqual(series.toSorted(), expected.toSorted(), way)
    const buckets = [
      ...text.matchAll(/^opa_data_exporter_collection_time_bucket\{cluster_name="cluster42",le="(.*)"\}/gm),
    ]
    assert.equal(
      buckets.map(([, le]) => le).join(" "),
      "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf",
    )
  }
})

test("documents are read from an OPA that refuses queries, and that is told", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const files = temporaryFolder(t)
  const authz = await files.write(
    "authz.rego",
    'package system.authz\nimport rego.v1\ndefault allow := false\nallow if input.path != ["v1", "query"]\n',
  )
  const opa = await opaOf(t, folder, { flags: ["--authorization=basic", authz] })
  await feed(opa, FEW)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), PATHS)
  assert.deepEqual(await exporter.series("opa_data_way"), ['opa_data_way{pod_name="opa-0",way="documents"} 1'])
  assert.deepEqual(await exporter.series("opa_namespaced_data_items"), [
    'opa_namespaced_data_items{data_path="kubernetes/services",pod_name="opa-0"} 9',
    'opa_namespaced_data_items{data_path="kubernetes/ingresses",pod_name="opa-0"} 5',
  ])
})

test("what stands at odd paths is told, and spoils no other", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opa = await opaOf(t, folder)
  await opa.put("odd", {
    text: "abc",
    number: 5,
    nothing: null,
    list: [1, { a: 1 }, [1, 2]],
    empty: {},
    good: { a: { b: 1 } },
  })
  const policy = 'package rules\nnumber := 5\nnames := {"a", "b"}\nkeyed := {1: {"x": 1}, [2]: {}}\nfunction(x) := x\n'
  assert.equal((await opa.ask("PUT", "/v1/policies/rules", policy)).status, 200)
  const odd = ["text", "number", "nothing", "list", "empty", "good", "absent"].map((name) => `odd/${name}`)
  const rules = ["number", "names", "keyed", "function"].map((name) => `rules/${name}`)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [
    `--opa-cluster-data=${[...odd, ...rules].join(",")}`,
  ])
  const valuesOf = async (name: string) =>
    Object.fromEntries(
      (await exporter.series(name)).map((line) => {
        const [, path = "", value] = /data_path="(.*?)".* (\d)$/.exec(line) ?? []
        return [path, Number(value)]
      }),
    )
  assert.deepEqual(await valuesOf("opa_cluster_data_items"), {
    "odd/list": 3,
    "odd/empty": 0,
    "odd/good": 1,
    "rules/names": 2,
    "rules/keyed": 2,
  })
  const defined = Object.entries(await valuesOf("opa_data_path_defined"))
  assert.deepEqual(
    defined.flatMap(([path, value]) => (value === 0 ? [path] : [])),
    ["odd/absent"],
  )
})

test("promtool has nothing against the exposition but names kept for compatibility", (t) => {
  const folder = need(t, findPrometheus())
  if (folder === undefined) return
  const input = golden("3-hanging-and-dead.prom")
  const { stderr, error } = spawnSync(join(folder, "promtool"), ["check", "metrics"], { input, encoding: "utf8" })
  if (error !== undefined) throw error
  assert.deepEqual([...new Set(stderr.split("\n").filter(Boolean))], [])
})

test("--single prints one collection and ends: 0 where everything was read, 1 where not", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opa = await opaOf(t, folder)
  await feed(opa, FEW)
  const run = async (...urls: readonly string[]) => {
    const child = start(join(root, "bin/fedstack"), [
      ...["exporter", "opa-data", "--single", "--cluster-name=c", ...PATHS],
      ...urls.map((url) => `--opa-url=${url}`),
    ])
    return { code: await child.ended, output: child.output() }
  }
  const good = await run(opa.url)
  assert.equal(good.code, 0, good.output)
  assert.match(good.output, /^# HELP opa_cluster_data_items .*\n# TYPE .*\nopa_cluster_data_items\{.*\} 4\n/)
  const bad = await run(opa.url, "http://127.0.0.1:1")
  assert.equal(bad.code, 1)
  assert.match(bad.output, /^opa_cluster_data_items\{.*\} 4$/m)
  assert.match(bad.output, /^fedstack: Not everything could be read\. 127\.0\.0\.1:1: .*ECONNREFUSED/m)
})

test("the command serves from the shell, and ends in order when it is told to", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opa = await opaOf(t, folder)
  await feed(opa, FEW)
  const child = start(join(root, "bin/fedstack"), ["exporter", "opa-data", "--web.listen-address=127.0.0.1:0"], {
    APP_CLUSTER_NAME: "cluster42",
    APP_OPA_URL: opa.url,
    APP_OPA_NAMESPACED_DATA: "kubernetes/services,kubernetes/ingresses",
  })
  const port = await until("the exporter", () => /127\.0\.0\.1:(\d+)\D*tls=/.exec(child.output())?.[1])
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  assert.match(text, /^opa_namespaced_data_items\{cluster_name="cluster42",data_path="kubernetes\/services",.*\} 9$/m)
  assert.equal(await child.stop(), 0)
})
