import assert from "node:assert/strict"
import test from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import type { Destination } from "../routing/routing.ts"
import { groupOf, SliceNumbers } from "./slice-numbers.ts"

const to = (...tenants: string[]): readonly Destination[] =>
  tenants.map((tenant) => ({ tenant: tenant as TenantId, strip: undefined }))

test("numbers slices by tenant and group, in the order in which they come", () => {
  const numbers = new SliceNumbers(10)
  assert.deepEqual(numbers.find(to("red", "blue"), ""), [0, 1])
  assert.deepEqual(numbers.find(to("blue", "green"), ""), [1, 2])
  assert.deepEqual(numbers.find(to("blue", "red"), groupOf(["a"])), [3, 4])
  assert.deepEqual(numbers.find(to("red"), ""), [0])
  assert.deepEqual(numbers.slices, [
    { tenant: "red", group: "" },
    { tenant: "blue", group: "" },
    { tenant: "green", group: "" },
    { tenant: "blue", group: '["a"]' },
    { tenant: "red", group: '["a"]' },
  ])
})

test("refuses what would be more slices, and makes none of them", () => {
  const numbers = new SliceNumbers(2)
  assert.deepEqual(numbers.find(to("red"), ""), [0])
  assert.deepEqual(numbers.find(to("red", "blue", "green"), ""), {
    refused: "a request may be for at most 2 tenants, and this one is for more",
    tenant: "blue",
  })
  assert.deepEqual(numbers.find(to("red", "blue"), ""), [0, 1])
  assert.ok("refused" in numbers.find(to("red"), groupOf(["a"])))
  assert.deepEqual(numbers.find(to("blue"), ""), [1])
  assert.equal(numbers.slices.length, 2)
})

test("tells groups apart whatever their values are", () => {
  const groups = [["a"], ["a", "null"], ["null", "a"], ['a"', "b"], ["a", '","b']]
  assert.equal(new Set(["", ...groups.map(groupOf)]).size, groups.length + 1)
})

test("takes what lacks one of the labels for no replica", () => {
  const incomplete = [[], [undefined], ["a", undefined], [undefined, "a"]]
  assert.deepEqual(incomplete.map(groupOf), ["", "", "", ""])
})
