import assert from "node:assert/strict"
import { test } from "node:test"
import { NO_COUNTS } from "../message/counts.ts"
import type { Version } from "../message/version.ts"
import type { Split } from "../split/slice.ts"
import { combine } from "./combine.ts"
import { type Answer, outcomeOf, partsOf, samples, sliceOf, splitOf } from "./testing.ts"
import { judge } from "./verdict.ts"

const respond = (answers: readonly Answer[], version: Version = 2, changes: Partial<Split> = {}) => {
  const parts = partsOf(answers, version)
  const split = splitOf(
    parts.map(({ slice }) => slice),
    changes,
  )
  return combine(version, split, parts, 0)
}

/** What one tenant's upstream sends, and what the sender gets where it is the only one, and beside one that accepted. */
const CELLS: readonly (readonly [status: number, alone: number, besideAccepted: number])[] = [
  [200, 204, 204],
  [202, 204, 204],
  [204, 204, 204],
  [0, 502, 502],
  [301, 502, 502],
  [302, 502, 502],
  [307, 502, 502],
  [400, 400, 400],
  [401, 502, 502],
  [403, 502, 502],
  [404, 502, 502],
  [405, 502, 502],
  [408, 502, 502],
  [409, 400, 400],
  [413, 400, 400],
  [415, 415, 400],
  [422, 400, 400],
  [402, 502, 502],
  [407, 502, 502],
  [410, 502, 502],
  [421, 502, 502],
  [425, 502, 502],
  [499, 502, 502],
  [429, 429, 429],
  [500, 503, 503],
  [501, 503, 503],
  [502, 503, 503],
  [503, 503, 503],
  [504, 503, 503],
  [529, 503, 503],
  [599, 503, 503],
]

for (const [status, alone, besideAccepted] of CELLS) {
  test(`status ${status} of the only tenant becomes ${alone}, beside an accepted one ${besideAccepted}`, () => {
    assert.equal(respond([status]).status, alone)
    assert.equal(respond([204, status]).status, besideAccepted)
    assert.equal(respond([status, 204]).status, besideAccepted)
  })
}

/** Which status stands for two failures, whatever their order. */
const PAIRS: readonly (readonly [first: number, second: number, status: number])[] = [
  [500, 429, 503],
  [500, 400, 503],
  [500, 415, 503],
  [529, 429, 503],
  [0, 429, 502],
  [0, 400, 502],
  [0, 503, 503],
  [301, 400, 502],
  [401, 400, 502],
  [401, 429, 502],
  [401, 500, 503],
  [404, 413, 502],
  [429, 400, 429],
  [429, 413, 429],
  [429, 415, 429],
  [429, 429, 429],
  [400, 400, 400],
  [400, 413, 400],
  [400, 415, 400],
  [413, 415, 400],
  [415, 415, 415],
]

for (const [first, second, status] of PAIRS) {
  test(`${first} and ${second} of two tenants become ${status}`, () => {
    assert.equal(respond([first, second]).status, status)
    assert.equal(respond([second, first]).status, status)
    assert.equal(respond([first, second], 1).status, status)
  })
}

const rejection = {
  rejected: [{ tenant: "t0", reason: "it has no name", series: 2, example: '{job="a"}' }],
  rejectedSeries: 2,
  rejectedCounts: samples(2),
}

test("series that were set aside make a success a 400, and hide neither 5xx nor 429", () => {
  assert.equal(respond([204], 2, rejection).status, 400)
  assert.equal(respond([429], 2, rejection).status, 429)
  assert.equal(respond([500], 2, rejection).status, 503)
  assert.equal(respond([415], 2, rejection).status, 415)
  assert.equal(respond([], 2, rejection).status, 400)
})

test("a request without series is a success", () => {
  const { status, body, headers } = respond([])
  assert.deepEqual([status, body, headers], [204, "", writtenOf(0)])
})

const writtenOf = (count: number): Record<string, string> => ({
  "x-prometheus-remote-write-samples-written": String(count),
  "x-prometheus-remote-write-histograms-written": "0",
  "x-prometheus-remote-write-exemplars-written": "0",
})

test("version 2 always has the counts of what was written, version 1 never", () => {
  for (const answer of [204, 400, 415]) {
    assert.deepEqual(respond([answer, answer]).headers, writtenOf(answer === 204 ? 10 : 0))
    assert.deepEqual(respond([answer, answer], 1).headers, {})
  }
  for (const answer of [429, 500, 0, 401]) {
    const { "retry-after": retryAfter, ...rest } = respond([204, answer]).headers
    assert.deepEqual(rest, writtenOf(5))
    assert.match(retryAfter ?? "", /^[12]$/)
    assert.deepEqual(Object.keys(respond([204, answer], 1).headers), ["retry-after"])
  }
})

test("what an upstream stored although it refused is counted", () => {
  assert.deepEqual(respond([204, { status: 400, written: samples(3) }]).headers, writtenOf(8))
  assert.deepEqual(respond([{ status: 400, written: samples(99) }]).headers, writtenOf(5))
})

test("what an upstream did not write although it accepted is not counted", () => {
  const slice = sliceOf("t0")
  const part = judge(slice, { kind: "accepted", status: 200, written: samples(3) }, undefined, 0, 1)
  assert.deepEqual(combine(2, splitOf([slice]), [part], 0), { status: 204, headers: writtenOf(3), body: "" })
})

test("what was set aside is not counted as written", () => {
  const parts = partsOf([204])
  const split = splitOf(
    parts.map(({ slice }) => slice),
    { ...rejection, received: samples(7) },
  )
  assert.deepEqual(combine(2, split, parts, 0).headers, writtenOf(5))
})

test("an element of two tenants counts once, and only when both took it", () => {
  const both = (answers: readonly Answer[]) => {
    const parts = partsOf(answers)
    const split = splitOf(
      parts.map(({ slice }) => slice),
      { received: samples(5) },
    )
    return combine(2, split, parts, 0).headers["x-prometheus-remote-write-samples-written"]
  }
  assert.equal(both([204, 204]), "5")
  assert.equal(both([204, 400]), "0")
  assert.equal(both([400, 400]), "0")
  assert.equal(both([202, 204]), "5")
  assert.equal(both([{ status: 400, written: samples(4) }, 204]), "4")
})

test("a deduplicated replica counts in full, whatever the upstream counts", () => {
  const slice = sliceOf("t0")
  const part = judge(slice, { kind: "accepted", status: 202, written: NO_COUNTS }, undefined, 0, 1)
  assert.deepEqual(combine(2, splitOf([slice]), [part], 0), { status: 204, headers: writtenOf(5), body: "" })
})

test("a success that wrote nothing of what was sent is none", () => {
  const slice = sliceOf("t0")
  const part = judge(slice, { kind: "accepted", status: 204, written: NO_COUNTS }, undefined, 0, 1)
  assert.deepEqual(combine(2, splitOf([slice]), [part], 0), {
    status: 400,
    headers: writtenOf(0),
    body: "tenant t0: 5 series: the upstream's status is 204, yet it wrote nothing\n",
  })
  const first = sliceOf("t0", { version: 1 })
  assert.equal(judge(first, { kind: "accepted", status: 200, written: NO_COUNTS }, undefined, 0, 1).verdict, "accepted")
  const histograms = sliceOf("t0", { counts: { ...NO_COUNTS, histograms: 5, exemplars: 1 } })
  const exemplar = { ...NO_COUNTS, exemplars: 1 }
  const onlyExemplar = judge(histograms, { kind: "accepted", status: 200, written: exemplar }, undefined, 0, 1)
  assert.equal(onlyExemplar.verdict, "refused")
  const metadata = sliceOf("t0", { series: 0, metadata: 3, counts: NO_COUNTS })
  assert.equal(judge(metadata, outcomeOf(204, metadata), undefined, 0, 1).verdict, "accepted")
})

// Mimir's default is max_global_exemplars_per_user: 0, with which it reads none
test("exemplars alone are accepted by a store that keeps none, and counted as not written", () => {
  const slice = sliceOf("t0", { counts: { ...NO_COUNTS, exemplars: 5 } })
  const part = judge(slice, { kind: "accepted", status: 200, written: NO_COUNTS }, undefined, 0, 1)
  assert.deepEqual(combine(2, splitOf([slice]), [part], 0), { status: 204, headers: writtenOf(0), body: "" })
})

test("a limit that does not pass is refused in the end", () => {
  const slice = sliceOf("t0")
  const limited = outcomeOf({ status: 429, reason: "too many series" }, slice)
  const at = (now: number) => judge(slice, limited, 1000, now, 600_000)
  assert.equal(judge(slice, limited, undefined, 1e9, 600_000).verdict, "limited")
  assert.equal(at(600_999).verdict, "limited")
  const { status, body, headers } = combine(2, splitOf([slice]), [at(601_000)], 9)
  assert.deepEqual(
    [status, body, headers],
    [
      400,
      "tenant t0: 5 series: status 429 of the upstream for 600 s, no longer retried: too many series\n",
      writtenOf(0),
    ],
  )
})

test("the longest Retry-After of those that are resent is forwarded", () => {
  const longest = (answers: readonly Answer[]) => respond(answers).headers["retry-after"]
  assert.equal(
    longest([{ status: 429, retryAfter: 3 }, { status: 503, retryAfter: 7.2 }, { status: 400, retryAfter: 99 }, 500]),
    "8",
  )
  assert.equal(longest([{ status: 429, retryAfter: 3 }, 400]), "3")
  assert.equal(longest([{ status: 429, retryAfter: 0 }]), "1")
  assert.equal(longest([{ status: 429, retryAfter: 1e12 }]), "3600")
})
