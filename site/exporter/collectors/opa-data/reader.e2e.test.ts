import assert from "node:assert/strict"
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { findOpa } from "../../../../dev/testing/opa.ts"
import { READ_METHODS } from "./reading.ts"
import { startTestExporter, targetOf, targetsOf } from "./testing.ts"
import { feed, FEW, opaOf, PATHS } from "./opa.testing.ts"

const root = join(import.meta.dirname, "../../../..")

const REPLICAS: readonly (readonly [node: string, pod: string])[] = [
  ["gke-cluster42-internal3-81e24bc8-yhzj", "opa-internal-59496d7c7d-hbtm4"],
  ["gke-cluster42-internal3-81e24bc8-tgvn", "opa-internal-59496d7c7d-99wmn"],
  ["gke-cluster42-platform3-e054cd13-e04k", "opa-platform-5f95d4c9c4-sqswt"],
  ["gke-cluster42-platform3-8cc2b449-lbj2", "opa-platform-5f95d4c9c4-jt5jh"],
  ["gke-cluster42-internal3-75de1dd0-tirk", "opa-internal-59496d7c7d-69lst"],
  ["gke-cluster42-platform3-e8feff8e-vrb5", "opa-platform-5f95d4c9c4-6mcwp"],
]

test("for the data of the original's sample its series have the sample's names, labels and values, in every method of reading", async (t) => {
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
  for (const method of READ_METHODS) {
    const exporter = await startTestExporter(t, targetsOf(targets), [...PATHS, "--opa-read-method", method])
    const text = await exporter.scrape()
    const series = text.split("\n").filter((line) => /^opa_(?:cluster|namespaced)_data_item/.test(line))
    assert.deepEqual(series.toSorted(), expected.toSorted(), method)
    const buckets = [
      ...text.matchAll(/^opa_data_exporter_collection_time_bucket\{cluster_name="cluster42",le="(.*)"\}/gm),
    ]
    assert.equal(
      buckets.map(([, le]) => le).join(" "),
      "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1.0 2.5 5.0 7.5 10.0 +Inf",
    )
  }
})

test("documents are read from an OPA that refuses queries, and a metric shows that", async (t) => {
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
  assert.deepEqual(await exporter.series("opa_data_read_method"), [
    'opa_data_read_method{pod_name="opa-0",method="documents"} 1',
  ])
  assert.deepEqual(await exporter.series("opa_namespaced_data_items"), [
    'opa_namespaced_data_items{data_path="kubernetes/services",pod_name="opa-0"} 9',
    'opa_namespaced_data_items{data_path="kubernetes/ingresses",pod_name="opa-0"} 5',
  ])
})

test("unusual values at a path have their own result, and spoil no other", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opa = await opaOf(t, folder)
  await opa.put("unusual", {
    text: "abc",
    number: 5,
    nothing: null,
    list: [1, { a: 1 }, [1, 2]],
    empty: {},
    good: { a: { b: 1 } },
  })
  const policy = 'package rules\nnumber := 5\nnames := {"a", "b"}\nkeyed := {1: {"x": 1}, [2]: {}}\nfunction(x) := x\n'
  assert.equal((await opa.ask("PUT", "/v1/policies/rules", policy)).status, 200)
  const unusual = ["text", "number", "nothing", "list", "empty", "good", "absent"].map((name) => `unusual/${name}`)
  const rules = ["number", "names", "keyed", "function"].map((name) => `rules/${name}`)
  const exporter = await startTestExporter(t, targetsOf([targetOf(opa.port)]), [
    `--opa-cluster-data=${[...unusual, ...rules].join(",")}`,
  ])
  const valuesOf = async (name: string) =>
    Object.fromEntries(
      (await exporter.series(name)).map((line) => {
        const [, path = "", value] = /data_path="(.*?)".* (\d)$/.exec(line) ?? []
        return [path, Number(value)]
      }),
    )
  assert.deepEqual(await valuesOf("opa_cluster_data_items"), {
    "unusual/list": 3,
    "unusual/empty": 0,
    "unusual/good": 1,
    "rules/names": 2,
    "rules/keyed": 2,
  })
  const defined = Object.entries(await valuesOf("opa_data_path_defined"))
  assert.deepEqual(
    defined.flatMap(([path, value]) => (value === 0 ? [path] : [])),
    ["unusual/absent"],
  )
})
