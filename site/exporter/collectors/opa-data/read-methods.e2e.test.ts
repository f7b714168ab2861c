import assert from "node:assert/strict"
import { type TestContext, test } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { findOpa, type RunningOpa, startOpa } from "../../../../dev/testing/opa.ts"
import { countedPaths } from "./paths.ts"
import { type DigestKind, type PathCount, READ_METHODS } from "./reading.ts"
import { countPackage } from "./rego.ts"
import { targetOf, testReader } from "./testing.ts"

const NEVER = new AbortController().signal
const PACKAGE = ["fedstack", "opa_data"]
const pathOf = (name: string) => ({ name, segments: name.split("/") })

async function opaOf(t: TestContext, flags: readonly string[] = []): Promise<RunningOpa | undefined> {
  const folder = need(t, findOpa())
  if (folder === undefined) return undefined
  const opa = await startOpa(folder, { flags })
  t.after(() => opa.stop())
  return opa
}

test("data that is not Kubernetes' is counted alike in every method of reading", async (t) => {
  const opa = await opaOf(t)
  if (opa === undefined) return
  await opa.put("unusual", {
    mixed: { namespace: { a: 1, b: {} }, text: "abc", number: 5, nothing: null, list: [1, [2, 3], {}], empty: {} },
    lists: [[1, 2], { a: 1 }, "text"],
    texts: { a: "one", b: "two" },
    empty: {},
    text: "abc",
    number: 5,
    nothing: null,
  })
  const names = ["mixed", "lists", "texts", "empty", "text", "number", "nothing", "absent"]
  const paths = countedPaths(
    [],
    names.map((name) => pathOf(`unusual/${name}`)),
  )
  const counted = (keys: number, members: number): PathCount => ({ kind: "counted", keys, members, digest: undefined })
  const uncountable: PathCount = { kind: "uncountable" }
  const expected = [
    ...[counted(6, 5), counted(3, 3), counted(2, 0), counted(0, 0)],
    ...[uncountable, uncountable, uncountable, { kind: "undefined" }],
  ]
  assert.equal((await opa.ask("PUT", "/v1/policies/counts", countPackage(paths, PACKAGE))).status, 200)
  for (const method of READ_METHODS) {
    const reader = await testReader(t, { paths, methods: [method] })
    const { pathCounts } = await reader.read(targetOf(opa.port), undefined, NEVER)
    assert.deepEqual([method, pathCounts], [method, expected])
  }
})

/** The digest that OPA makes of each of the values, as members of a namespace and without one. */
async function digestsOf(
  t: TestContext,
  opa: RunningOpa,
  kind: DigestKind,
  values: readonly unknown[],
): Promise<readonly string[]> {
  const reader = await testReader(t, {
    paths: countedPaths([pathOf("d/flat")], [pathOf("d/deep")]),
    methods: ["query"],
  })
  const digests: string[] = []
  for (const value of values) {
    await opa.put("d", { flat: value, deep: { n: value } })
    const { pathCounts } = await reader.read(targetOf(opa.port), kind, NEVER)
    digests.push(
      pathCounts
        .map((pathCount) => (pathCount.kind === "counted" ? (pathCount.digest ?? "none") : pathCount.kind))
        .join(),
    )
  }
  return digests
}

const of = (resourceVersion: unknown) => ({ metadata: { resourceVersion } })

test("digests differ by names and resourceVersions, of what has no version by the name", async (t) => {
  const opa = await opaOf(t)
  if (opa === undefined) return
  const digests = await digestsOf(t, opa, "resourceVersion", [
    { a: of("1") },
    { b: of("1") },
    { a: of("2") },
    { a: {} },
    { b: 1 },
    { a: 1, b: of("1") },
    { a: null, c: of("1") },
    { "a/1": {} },
    { a: of(1) },
    { a: of(2) },
    { a: of(null) },
    [of("1")],
    [of("2")],
    [{}],
    [],
  ])
  assert.equal(new Set(digests).size, digests.length, digests.join("\n"))
  assert.ok(digests.every((digest) => /^[\da-f]{64},[\da-f]{64}$/.test(digest)))
})

for (const flags of [[], ["--v0-compatible"]]) {
  test(`a digest is the same for the same objects, in whatever order and form they came${flags.length > 0 ? ", in old Rego too" : ""}`, async (t) => {
    const opa = await opaOf(t, flags)
    if (opa === undefined) return
    for (const kind of ["resourceVersion", "content"] as const) {
      const [one, other] = await digestsOf(t, opa, kind, [
        { a: of("1"), b: "<&>", c: 1 },
        { c: 1, b: "<&>", a: of("1") },
      ])
      assert.equal(one, other, kind)
      assert.match(one ?? "", /^[\da-f]{64},[\da-f]{64}$/)
    }
  })
}
