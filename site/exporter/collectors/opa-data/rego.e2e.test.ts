import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import fc from "fast-check"
import { need } from "../../../../dev/testing/component.ts"
import { findOpa, startOpa } from "../../../../dev/testing/opa.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import type { Counted } from "./paths.ts"
import { type PathCount, READ_METHODS } from "./reading.ts"
import { countPackage } from "./rego.ts"
import { targetOf, testReader } from "./testing.ts"

const NEVER = new AbortController().signal
const SEGMENTS = ["fedstack", "opa_data"]

/** Rego, JSON and URLs all have their own ideas of these. */
const hostile = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom(
        '"',
        "\\",
        "]",
        "[",
        "}",
        "`",
        "\n",
        "\0",
        "/",
        "%",
        "%2F",
        "?",
        "#",
        ";",
        "+",
        " ",
        "🦆",
        "\u2028",
      ),
      fc.constantFrom(
        '"] | true]',
        '"; trace("x"); "',
        "\\u0022",
        "${x}",
        "{x}",
        "$",
        "_",
        "data",
        "$term",
        "*",
        ":",
        "../",
      ),
      fc.string({ unit: "grapheme", maxLength: 2 }),
    ),
    minLength: 1,
    maxLength: 6,
  })
  .filter((text) => !["", ".", ".."].includes(text) && text.isWellFormed())

/** OPA answers 301 or 500 to URLs with some characters, however they are written. */
const hasUrl = ({ segments }: Counted): boolean => segments.every((segment) => !/["\\/\0\n]/.test(segment))

for (const compatible of [false, true]) {
  test(`no segment of a path is anything but itself, in every method of reading${compatible ? ", in old Rego too" : ""}`, async (t) => {
    const folder = need(t, findOpa())
    if (folder === undefined) return
    const opa = await startOpa(folder, { flags: compatible ? ["--v0-compatible"] : [] })
    t.after(() => opa.stop())
    const segments =
      fc.sample(fc.uniqueArray(hostile, { minLength: 300, maxLength: 300 }), { numRuns: 1, seed: 6 })[0] ?? []
    const members = (index: number) =>
      Object.fromEntries(segments.slice(0, index % 5).map((name) => [name, { [name]: 1 }]))
    // an object with null for a prototype: "__proto__" is a segment like any other
    const document = Object.assign(
      Object.create(null) as object,
      Object.fromEntries(segments.map((s, i) => [s, members(i)])),
    )
    await opa.put("hostile", document)
    await opa.put("twin", { other: {} })
    const paths = segments.map((segment, index): Counted => ({
      name: `${index}`,
      segments: index % 3 === 0 ? ["twin", segment] : ["hostile", segment],
      cluster: true,
      namespaced: true,
    }))
    const expected = paths.map(({ segments: [root] }, index): PathCount =>
      root === "twin"
        ? { kind: "undefined" }
        : { kind: "counted", keys: index % 5, members: index % 5, digest: undefined },
    )
    const policy = await opa.ask("PUT", "/v1/policies/counts", countPackage(paths, SEGMENTS))
    assert.equal(policy.status, 200, policy.text)
    for (const method of READ_METHODS) {
      const read = method === "documents" ? paths.filter(hasUrl) : paths
      const reader = await testReader(t, { paths: read, methods: [method], timeout: 60 })
      const { pathCounts } = await reader.read(targetOf(opa.port), undefined, NEVER)
      const wanted = expected.filter((_, index) => read.some(({ name }) => name === String(index)))
      assert.deepEqual([method, pathCounts], [method, wanted])
    }
  })
}

test("the shipped package is what --print-package prints, and OPA accepts it with its authorization", async (t) => {
  const folder = need(t, findOpa())
  if (folder === undefined) return
  const pathOf = (name: string, namespaced: boolean): Counted => ({
    name,
    segments: name.split("/"),
    cluster: !namespaced,
    namespaced,
  })
  const paths = [
    pathOf("kubernetes/namespaces", false),
    pathOf("kubernetes/services", true),
    pathOf("kubernetes/ingresses", true),
  ]
  const file = (name: string): string => new URL(`opa/${name}`, import.meta.url).pathname
  assert.equal(readFileSync(file("opa_data.rego"), "utf8"), countPackage(paths, SEGMENTS))
  // neither `if` nor an import that gives it: OPA before 0.59 knows no rego.v1, before 0.42 no `if`
  for (const name of ["opa_data.rego", "authz.rego"])
    assert.doesNotMatch(readFileSync(file(name), "utf8").replaceAll(/#.*/g, ""), /\b(?:import|if|contains|every|in)\b/)

  const data = await temporaryFolder(t).write(
    "data.json",
    JSON.stringify({ kubernetes: { namespaces: { a: {}, b: {} }, services: { a: { x: {}, y: {} }, b: {} } } }),
  )
  for (const old of [false, true]) {
    const health = 'package system.authz\nimport rego.v1\ndefault allow := false\nallow if input.path == ["health"]\n'
    const more = await temporaryFolder(t).write("health.rego", health)
    const flags = ["--authorization=basic", ...(old ? ["--v0-compatible"] : [])]
    const opa = await startOpa(folder, { flags: [...flags, file("opa_data.rego"), file("authz.rego"), more, data] })
    t.after(() => opa.stop())
    const reader = await testReader(t, { paths })
    const { pathCounts, method } = await reader.read(targetOf(opa.port), undefined, NEVER)
    assert.deepEqual(
      [method, pathCounts],
      [
        "package",
        [
          { kind: "counted", keys: 2, members: undefined, digest: undefined },
          { kind: "counted", keys: 2, members: 2, digest: undefined },
          { kind: "undefined" },
        ],
      ],
    )
    for (const digest of ["resourceVersion", "content"] as const) {
      const [first] = (await reader.read(targetOf(opa.port), digest, NEVER)).pathCounts
      assert.match((first?.kind === "counted" && first.digest) || "", /^[\da-f]{64}$/)
    }
    const others = ["/v1/data", "/v1/data/kubernetes/services", "/v1/data/fedstack/opa_data", "/v1/policies"]
    // an explanation holds every document that was looked at
    const counts = "/v1/data/fedstack/opa_data/counts"
    for (const path of [...others, `${counts}?explain=full`, `${counts}?metrics=true&explain=debug`]) {
      assert.equal((await opa.ask("GET", path)).status, 401, path)
    }
  }
})
