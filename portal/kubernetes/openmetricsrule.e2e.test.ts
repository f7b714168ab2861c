import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { test } from "node:test"
import { need } from "../../dev/testing/component.ts"
import { findKubernetes, startKubernetes } from "../../dev/testing/kubernetes.ts"

const CRD = join(import.meta.dirname, "openmetricsrule/customresourcedefinition.yaml")
const ORIGINAL = join(import.meta.dirname, "openmetricsrule/testdata/original.yaml")

const rule = (fields: object) => ({ tenants: ["acme"], groups: [{ name: "a", rules: [fields] }] })
const group = (fields: object) => ({ tenants: ["acme"], groups: [{ name: "a", rules: [], ...fields }] })

const GOOD: Readonly<Record<string, object>> = {
  "tenants alone": { tenants: ["acme"] },
  "no tenants": { tenants: [], groups: [] },
  "two groups of one name, which the status reports": {
    tenants: ["acme"],
    groups: [
      { name: "a", rules: [] },
      { name: "a", rules: [] },
    ],
  },
  "every field of today": {
    tenants: ["acme", "*"],
    description: "for acme",
    groups: [
      {
        ...{ name: "today/é", interval: "1m30s", query_offset: "0", limit: 10, labels: { team: "a" } },
        ...{ source_tenants: ["b"], evaluation_delay: "1m", align_evaluation_time_on_interval: true },
        rules: [
          { alert: "Down", expr: "up == 0", for: "5m", keep_firing_for: "1d12h", labels: { a: "b" }, annotations: {} },
          { record: "job:up:sum", expr: "sum by (job) (up)" },
        ],
      },
    ],
  },
  "a number as expression": rule({ record: "one", expr: 1 }),
  "numbers and booleans in labels and annotations": rule({
    ...{
      alert: "Down",
      expr: "up == 0",
      labels: { severity_id: 5, page: true },
      annotations: { summary: false, n: 0.5 },
    },
  }),
  "an empty name beside the one that counts": rule({ record: "", alert: "Down", expr: "up == 0", for: "" }),
  "fields that are not known": group({
    partial_response_strategy: "warn",
    rules: [{ record: "a", expr: "1", new: {} }],
  }),
}

const DURATION = "^(0|([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$"
const IN_RULE = "spec.groups[0].rules[0]"
const NEITHER = `<nil>: Invalid value: "": "${IN_RULE}" must validate one and only one schema (oneOf)`

const BAD: Readonly<Record<string, readonly [spec: object, message: string]>> = {
  "no tenants at all": [{}, "spec.tenants: Required value"],
  "two tenants in one": [
    { tenants: ["a|b"] },
    `spec.tenants[0]: Invalid value: "a|b": spec.tenants[0] in body should match '^[A-Za-z0-9!_.*'()-]+$'`,
  ],
  "a tenant that is a folder": [
    { tenants: [".."] },
    `<nil>: Invalid value: "": "spec.tenants[0]" must not validate the schema (not)`,
  ],
  "a group without a name": [{ tenants: [], groups: [{ rules: [] }] }, "spec.groups[0].name: Required value"],
  "a group without rules": [{ tenants: [], groups: [{ name: "a" }] }, "spec.groups[0].rules: Required value"],
  "a group whose name is empty": [
    group({ name: "" }),
    `spec.groups[0].name: Invalid value: "": spec.groups[0].name in body should be at least 1 chars long`,
  ],
  "a rule that neither records nor alerts": [
    rule({ expr: "1" }),
    `\n* ${NEITHER}. Found none valid\n* ${IN_RULE}.record: Required value`,
  ],
  "a rule that does both": [rule({ record: "a", alert: "b", expr: "1" }), `${NEITHER}. Found 2 valid alternatives`],
  "a rule without an expression": [rule({ record: "a" }), `${IN_RULE}.expr: Required value`],
  "a duration that is none": [
    rule({ alert: "a", expr: "1", for: "5x" }),
    `${IN_RULE}.for: Invalid value: "5x": ${IN_RULE}.for in body should match '${DURATION}'`,
  ],
  "a number as duration": [
    group({ interval: 60 }),
    `spec.groups[0].interval: Invalid value: "integer": spec.groups[0].interval in body must be of type string: "integer"`,
  ],
  "a limit below 0": [
    group({ limit: -1 }),
    "spec.groups[0].limit: Invalid value: -1: spec.groups[0].limit in body should be greater than or equal to 0",
  ],
  "labels that are a list": [
    group({ labels: [] }),
    `spec.groups[0].labels: Invalid value: "array": spec.groups[0].labels in body must be of type object: "array"`,
  ],
}

test("the CRD of OpenMetricsRule", { timeout: 120_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const { kubectl } = await startKubernetes(outer, kube)
  await kubectl(["apply", "-f", CRD, "--validate=strict", "--warnings-as-errors"])
  await kubectl(["wait", "--for=condition=Established", "-f", CRD])
  await kubectl(["create", "namespace", "open-metrics-test"])
  const create = (spec: object) => {
    const object = { apiVersion: "open-metrics.vgs.io/v1", kind: "OpenMetricsRule", metadata: { name: "a" }, spec }
    return kubectl(["create", "-f", "-", "--dry-run=server", "--validate=strict", "-o", "json"], JSON.stringify(object))
  }

  for (const [what, spec] of Object.entries(GOOD))
    await outer.test(`keeps as it is: ${what}`, async () => {
      assert.deepEqual((JSON.parse(await create(spec)) as { spec: object }).spec, spec)
    })

  for (const [what, [spec, message]] of Object.entries(BAD))
    await outer.test(`refuses ${what}`, async () => {
      await assert.rejects(create(spec), ({ stderr }: Error & { stderr?: string }) => {
        const space = message.startsWith("\n") ? "" : " "
        assert.equal(
          stderr,
          `The OpenMetricsRule "a" is invalid:${space}${message}\n`.replace("invalid:\n", "invalid: \n"),
        )
        return true
      })
    })

  await outer.test("takes the example of the original without a change, and shows its tenants", async () => {
    assert.equal(
      await kubectl(["apply", "-f", ORIGINAL, "--validate=strict"]),
      "openmetricsrule.open-metrics.vgs.io/open-metrics-test created\n",
    )
    const get = ["get", "openmetricsrules", "-n", "open-metrics-test"]
    const [object] = (JSON.parse(await kubectl([...get, "-o", "json"])) as { items: { spec: object }[] }).items
    const { parse } = await import("yaml")
    assert.deepEqual(object?.spec, (parse(await readFile(ORIGINAL, "utf8")) as { spec: object }).spec)
    const conditions = ["Accepted", "Synced"].map((type) => ({ type, status: "True", reason: "Ok", message: type }))
    const patch = ["patch", "openmetricsrules", "open-metrics-test", "-n", "open-metrics-test", "--subresource=status"]
    await kubectl([...patch, "--type=merge", "-p", JSON.stringify({ status: { conditions } })])
    assert.match(
      await kubectl(get),
      /^NAME +TENANTS +ACCEPTED +SYNCED +AGE\nopen-metrics-test +\["backoffice","frontend"\] +True +True +\d+s\n$/,
    )
  })
})
