import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { findOpa, type RunningOpa } from "../../../../dev/testing/opa.ts"
import { opaOf } from "./opa.testing.ts"
import { countedPaths } from "./paths.ts"
import { type DigestKind, digestIn } from "./reading.ts"
import { startTestExporter, targetOf, targetsOf, testReader } from "./testing.ts"

const NEVER = new AbortController().signal
const KINDS = ["resourceVersion", "content"] as const

/** All different from one another, as JSON. */
const VALUES = [
  ...["0", "1", "-1", "0.1", "0.10000000000000000001", "1e400", "9007199254740992", "9007199254740993"],
  ...["123456789012345678901234567890", "123456789012345678901234567891"],
  ...["true", "false", "null", '""', '" "', '"0"', '"1"', '"1.0"', '"true"', '"null"', '"[]"', '"{}"'],
  ...['"<&>"', '"\\\\u003c&>"', '"\\n"', '"\\\\n"', '"\\u0000"', '"\\u00e9"', '"e\\u0301"', '"🦆"', '"\\ufffd"'],
  ...["[]", "{}", "[[]]", "[{}]", "[null]", "[1,2]", "[2,1]", "[1,[2]]", "[[1],2]", "[[1,2]]", '["1",2]'],
  ...['{"a":null}', '{"a":false}', '{"a":[]}', '{"a":{}}', '{"a":{"b":1}}', '{"a.b":1}', '{"a/b":1}', '{"b":{"a":1}}'],
  ...['{"a":1,"b":2}', '{"a":2,"b":1}', '{"A":1,"b":2}', '{"":1}', '{"0":1}', '{"u":{"role":"x"},"v":{"role":"y"}}'],
  ...[
    '{"u":{"role":"y"},"v":{"role":"x"}}',
    '{"metadata":{}}',
    '{"metadata":1}',
    '{"metadata":{"resourceVersion":""}}',
  ],
  ...['{"metadata":{"resourceVersion":null}}', '{"metadata":{"resourceVersion":1}}'],
  ...['{"metadata":{"resourceVersion":"1"}}', '{"metadata":{"resourceVersion":"2"}}'],
  ...['{"metadata":{"resourceVersion":""},"data":1}', '{"metadata":{"resourceVersion":""},"data":2}'],
]

/** Like none. */
const EMPTY_NAMESPACES = ['{"a":{}}', '{"metadata":{}}']

/** Where a value stands: as what a path holds, as an object of it, and within a namespace. */
const PLACES: readonly ((value: string) => string)[] = [
  (value) => `{"flat":${value},"deep":${value}}`,
  (value) => `{"flat":{"x":${value}},"deep":{"x":${value}}}`,
  (value) => `{"flat":{"n":{"x":${value}}},"deep":{"n":{"x":${value}}}}`,
  // beside an object with a version
  (value) => `{"flat":{"v":${VERSIONED},"x":${value}},"deep":{"n":{"v":${VERSIONED},"x":${value}}}}`,
]
const VERSIONED = '{"metadata":{"resourceVersion":"7"}}'

const paths = countedPaths([{ name: "flat", segments: ["d", "flat"] }], [{ name: "deep", segments: ["d", "deep"] }])

/** The digests of `flat` and `deep`. */
async function digestsOf(t: TestContext, opa: RunningOpa, kind: DigestKind, document: string) {
  const reader = await testReader(t, { paths, methods: ["query"] })
  const { status, text } = await opa.ask("PUT", "/v1/data/d", document)
  assert.equal(status, 204, text)
  const { pathCounts } = await reader.read(targetOf(opa.port), kind, NEVER)
  return pathCounts.map(digestIn)
}

for (const kind of KINDS) {
  test(`whatever differs has another digest, by ${kind}, wherever it stands and whatever kind of value it is`, async (t) => {
    const folder = need(t, findOpa())
    if (folder === undefined) return
    const opa = await opaOf(t, folder)
    for (const [place, document] of PLACES.entries()) {
      const values = new Map<string | undefined, string>()
      for (const value of VALUES) {
        const digests = await digestsOf(t, opa, kind, document(value))
        for (const [index, digest] of digests.entries()) {
          const key = `${index} ${digest}`
          assert.match(digest ?? "none", /^[\da-f]{64}$/, `place ${place}: ${value}`)
          if (index === 1 && place === 0 && EMPTY_NAMESPACES.includes(value)) continue
          assert.equal(values.get(key), undefined, `place ${place}: ${value} is like ${values.get(key)}`)
          values.set(key, value)
        }
      }
    }
  })

  test(`whatever is spelt in another way has the same digest, by ${kind}`, async (t) => {
    const folder = need(t, findOpa())
    if (folder === undefined) return
    const opa = await opaOf(t, folder)
    for (const [one, other] of [
      ['{"a":1,"b":[{"c":2,"d":null}]}', ' { "b" : [ { "d" : null , "c" : 2 } ] , "a" : 1 } '],
      ['"<é🦆"', '"\\u003c\\u00e9\\ud83e\\udd86"'],
      ['{"é":1}', '{"\\u00e9":1}'],
    ] as const) {
      for (const place of PLACES)
        assert.deepEqual(await digestsOf(t, opa, kind, place(one)), await digestsOf(t, opa, kind, place(other)), one)
    }
    const [, empty] = await digestsOf(t, opa, kind, '{"flat":1,"deep":{}}')
    assert.equal((await digestsOf(t, opa, kind, '{"flat":1,"deep":{"n":{},"m":{}}}'))[1], empty)
  })
}

test("numbers are compared as they are written", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opa = await opaOf(t, folder)
  for (const kind of KINDS) {
    const digests = new Set<string | undefined>()
    for (const value of ["1", "1.0", "1e0"])
      digests.add((await digestsOf(t, opa, kind, `{"flat":{"x":${value}},"deep":{}}`))[0])
    assert.equal(digests.size, 3)
  }
})

/** Two OPAs with the same number of items, and whether they are in sync at each of the paths. */
async function inSync(t: TestContext, [one, other]: readonly [unknown, unknown], flags: readonly string[] = []) {
  const folder = need(t, findOpa())
  if (folder === undefined) return undefined
  const [a, b] = [await opaOf(t, folder), await opaOf(t, folder)]
  await a.put("d", one)
  await b.put("d", other)
  const pods = targetsOf([targetOf(a.port, { pod: "opa-a" }), targetOf(b.port, { pod: "opa-b" })])
  const places = ["--opa-cluster-data=d/flat", "--opa-namespaced-data=d/deep"]
  const exporter = await startTestExporter(t, pods, [...places, ...flags])
  const series = async (name: string) =>
    (await exporter.series(name)).map((line) => line.replace(/^\w+\{data_path=/, "").replace(",}", "}"))
  return {
    inSync: await series("opa_data_in_sync"),
    notCompared: await series("opa_data_not_compared_pods"),
    log: exporter.log().match(/(?<=msg=").*(?:agree|differ).*/g) ?? [],
  }
}

const ROLES = { u1: { role: "admin" }, u2: { role: "reader" } }
const SWAPPED = { u1: { role: "reader" }, u2: { role: "admin" } }
const DIFFER = ['"d/flat"} 0', '"d/deep"} 0']

test("data without resourceVersions is compared by content of itself", async (t) => {
  const found = await inSync(t, [
    { flat: ROLES, deep: ROLES },
    { flat: SWAPPED, deep: SWAPPED },
  ])
  assert.deepEqual(found?.inSync ?? DIFFER, DIFFER)
})

test("of objects with resourceVersions and without the latter are compared by content", async (t) => {
  const of = (value: string) => ({ a: { metadata: { resourceVersion: "1" } }, b: { data: { key: value } } })
  const found = await inSync(t, [
    { flat: of("x"), deep: { n: of("x") } },
    { flat: of("y"), deep: { n: of("y") } },
  ])
  assert.deepEqual(found?.inSync ?? DIFFER, DIFFER)
})

test("values without members are compared too", async (t) => {
  const found = await inSync(t, [
    { flat: "x", deep: { a: true } },
    { flat: "y", deep: { a: false } },
  ])
  assert.deepEqual(found?.inSync ?? DIFFER, DIFFER)
})

test("where no digests can be made there is no verdict, and the reason is exported and logged", async (t) => {
  const found = await inSync(
    t,
    [
      { flat: ROLES, deep: {} },
      { flat: SWAPPED, deep: {} },
    ],
    ["--opa-read-method=documents"],
  )
  if (found === undefined) return
  assert.deepEqual(found, {
    inSync: ['"d/deep"} 1'],
    notCompared: ['"d/flat",reason="documents"} 2'],
    log: [
      'whether replicas agree is not known, only their counts are compared" namespace=opa service=opa path=d/flat reason="2 of 2 pods: whole documents are read, of which no digests are made"',
    ],
  })
})

test("with --digest off counts are all there is to agree", async (t) => {
  const both = { flat: ROLES, deep: ROLES }
  const found = await inSync(t, [both, { flat: SWAPPED, deep: SWAPPED }], ["--digest=off"])
  if (found === undefined) return
  assert.deepEqual(found, { inSync: ['"d/flat"} 1', '"d/deep"} 1'], notCompared: [], log: [] })
})

test("what policies compute is compared by content, as far as their types allow it", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const opas = await Promise.all(
    ["a", "b"].map(async (name) => {
      const opa = await opaOf(t, folder)
      const rules = `users := {"${name}", "u"}\nroles := {"u": ["${name}"]}\nlevel := "${name}"\nfive := 5`
      assert.equal((await opa.ask("PUT", "/v1/policies/p", `package p\n${rules}\n`)).status, 200)
      return targetOf(opa.port, { pod: name })
    }),
  )
  const flags = ["--opa-cluster-data=p/users,p/level,p/five", "--opa-namespaced-data=p/roles"]
  const exporter = await startTestExporter(t, targetsOf(opas), flags)
  const series = async (name: string) => (await exporter.series(name)).map((line) => line.replace(",}", "}"))
  assert.deepEqual(await series("opa_data_in_sync"), [
    'opa_data_in_sync{data_path="p/users"} 0',
    'opa_data_in_sync{data_path="p/level"} 0',
    'opa_data_in_sync{data_path="p/roles"} 0',
  ])
  assert.deepEqual(await series("opa_data_not_compared_pods"), [
    'opa_data_not_compared_pods{data_path="p/five",reason="computed"} 2',
  ])
})
