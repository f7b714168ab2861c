import assert from "node:assert/strict"
import { test } from "node:test"
import { linesOf } from "./lines.ts"
import { partsOf, sliceOf, splitOf } from "./testing.ts"
import type { Part } from "./verdict.ts"

const lines = (parts: readonly Part[], changes = {}): string => linesOf(splitOf([], changes), parts)

test("each tenant that failed has a line, those first that the status is for", () => {
  const text = lines(partsOf([400, 204, 429, { status: 0, reason: "connection refused" }, 415, 503]))
  assert.equal(
    text,
    `tenant t3: 5 series: connection refused
tenant t5: 5 series: status 503 of the upstream: words of 503
tenant t2: 5 series: status 429 of the upstream: words of 429
tenant t4: 5 series: status 415 of the upstream: words of 415
tenant t0: 5 series: status 400 of the upstream: words of 400
`,
  )
})

test("of a tenant with several slices the reason that the status is for stands first, and its line with it", () => {
  const [refused, other, retried] = partsOf([400, 429, 503])
  const ofOne = [refused, other, { ...retried, slice: sliceOf("t0", { series: 1 }) }] as readonly Part[]
  assert.equal(
    lines(ofOne),
    `tenant t0: 1 series: status 503 of the upstream: words of 503; 5 series: status 400 of the upstream: words of 400
tenant t1: 5 series: status 429 of the upstream: words of 429
`,
  )
})

test("several reasons of a tenant stand in its line, and how many there are beyond", () => {
  const rejected = ["no name", "a label twice", "no samples", "a bad reference", "too long", "no labels"].map(
    (reason, index) => ({ tenant: "t0", reason, series: index + 1, example: index === 0 ? '{job="a"}' : "" }),
  )
  assert.equal(
    lines(partsOf([400]), { rejected, rejectedSeries: 30 }),
    `tenant t0: 5 series: status 400 of the upstream: words of 400; 1 series set aside: no name, such as {job="a"}; \
2 series set aside: a label twice; 3 series set aside: no samples; 4 series set aside: a bad reference; and 2 more
and 9 series more set aside
`,
  )
})

test("what is no tenant's has a line of its own, and metadata is named as such", () => {
  const [part] = partsOf([400])
  const metadata = { ...part, slice: sliceOf("t0", { series: 0, metadata: 3 }) } as Part
  const rejected = [{ tenant: "", reason: "no tenant", series: 1, example: "" }]
  assert.equal(
    lines([metadata], { rejected, rejectedSeries: 1 }),
    "tenant t0: metadata of 3 metrics: status 400 of the upstream: words of 400\n1 series set aside: no tenant\n",
  )
})

test("thousands of tenants and long reasons stay below a bound, with how many are left out", () => {
  const many = lines(partsOf(Array.from({ length: 5000 }, () => 500)))
  assert.equal(many.split("\n").at(-2), "and 4980 more tenants")
  assert.equal(many.split("\n").length, 22)
  const long = lines(partsOf(Array.from({ length: 50 }, () => ({ status: 500, reason: "x".repeat(100_000) }))))
  assert.ok(long.length < 9000, String(long.length))
  assert.match(long, /x{300}…|x…\n/)
  const text = lines(partsOf(Array.from({ length: 100 }, () => 500)), {
    rejected: Array.from({ length: 400 }, (_, index) => ({
      tenant: `t${index % 20}`,
      reason: "y".repeat(290),
      series: 1,
      example: "",
    })),
  })
  assert.ok(text.length < 9000, String(text.length))
  assert.match(text, /\nand \d+ more tenants\n$/)
})

test("a reason is cut only where it is longer than the bound", () => {
  const reasonsOf = (length: number): string => lines(partsOf([{ status: 0, reason: "z".repeat(length) }]))
  assert.equal(reasonsOf(290), `tenant t0: 5 series: ${"z".repeat(290)}\n`)
  assert.equal(reasonsOf(291), `tenant t0: 5 series: ${"z".repeat(290)}…\n`)
})

test("series that were set aside and are not named are counted also where tenants are left out", () => {
  const text = lines(partsOf(Array.from({ length: 21 }, () => 500)), { rejectedSeries: 7 })
  assert.deepEqual(text.split("\n").slice(-3), ["and 1 more tenants", "and 7 series more set aside", ""])
})

test("characters that a terminal acts upon, and lines of others, are replaced", () => {
  const reason = "a\r\n\u001B[31mb\u0000\u2028c\u009B"
  assert.equal(
    lines(partsOf([{ status: 400, reason }])),
    "tenant t0: 5 series: status 400 of the upstream: a��\uFFFD[31mb��c�\n",
  )
})

test("what was reported before is left out while the sender is to resend, and reported with the last response", () => {
  const [refused, limited, accepted] = partsOf([400, 429, 204])
  const remembered = { ...refused, remembered: true } as Part
  assert.equal(lines([remembered, limited as Part]), "tenant t1: 5 series: status 429 of the upstream: words of 429\n")
  const [, retried] = partsOf([204, 503])
  assert.equal(lines([remembered, retried as Part]), "tenant t1: 5 series: status 503 of the upstream: words of 503\n")
  assert.equal(lines([remembered, accepted as Part]), "tenant t0: 5 series: status 400 of the upstream: words of 400\n")
})
