import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { compare, type Replica } from "./compare.ts"
import { itemsOf } from "./reading.ts"

/**
 * `a:5x` is pod a with 5 items and the digest x, `a:5x~` with one of an older collection, `a:5x*` deviated before; `a:?` is
 * undefined there, `a:!` can't be counted, `a:00` has a namespace without items.
 */
function replica(text: string): Replica {
  const [, pod = "", items = "", value, old, deviated] = /^(\w+):(\d+|[?!])([a-z]+)?(~)?(\*)?$/.exec(text) ?? []
  const digest = value === undefined ? undefined : { value, round: old === undefined ? 2 : 1 }
  const about = { pod, digest, wasDeviating: deviated !== undefined }
  if (items === "?") return { ...about, pathCount: { kind: "undefined" } }
  if (items === "!")
    return { ...about, pathCount: { kind: "uncountable", ...(value !== undefined && { digest: value }) } }
  if (items === "00") return { ...about, pathCount: { kind: "counted", keys: 1, members: 0, digest: value } }
  return { ...about, pathCount: { kind: "counted", keys: Number(items), members: undefined, digest: value } }
}

const table: readonly (readonly [replicas: string, inSync: boolean, spread: number, deviating: string, why: string])[] =
  [
    ["", true, 0, "", "there is nothing to differ"],
    ["a:5", true, 0, "", "one agrees with itself"],
    ["a:5 b:5 c:5", true, 0, "", "equal counts"],
    ["a:5 b:5 c:4", false, 1, "c", "one lacks an object"],
    ["a:5x b:5x c:5y", false, 0, "c", "one holds another content"],
    ["a:5x b:5x c:5", true, 0, "", "an unknown digest is no difference"],
    ["a:5x b:5y c:5", false, 0, "b", "an unknown digest goes with the first of two that are as common"],
    ["a:5x b:5y c:5y d:5", false, 0, "a", "an unknown digest goes with the most common"],
    ["a:5x b:5x c:5y~", true, 0, "", "a digest of another collection is no difference"],
    ["a:5x~ b:5y~ c:5", false, 0, "b", "but two of the same are"],
    ["a:6x b:5x~ c:5y~", false, 1, "b c", "also where those with other numbers of items have newer ones"],
    ["a:5x* b:5y c:5z~", false, 0, "a", "who was like the others before is like them still"],
    ["a:5x* b:5x* c:5y d:5z~ e:5z~", false, 0, "a b", "though more of those that deviated made digests"],
    ["a:5x* b:5y", false, 0, "a", "of two that may both be right the one that deviated still does"],
    ["a:5x* b:5x* c:5y", false, 0, "c", "of digests that are known the most count"],
    ["a:5x b:4", false, 1, "b", "of two the one with fewer items deviates"],
    ["a:4 b:5", false, 1, "a", "whichever name it has"],
    ["a:5x b:5y", false, 0, "b", "of two with as many items the second by name deviates"],
    ["d:4 c:4 b:5 a:5", false, 1, "c d", "of two halves the one with fewer items deviates"],
    ["a:9 b:5 c:5", false, 4, "a", "the majority wins over the greater number"],
    ["a:5 b:4 c:3", false, 2, "b c", "where all differ the greatest number is right"],
    ["a:0 b:?", false, 0, "b", "undefined is not empty"],
    ["a:0 b:? c:?", false, 0, "b c", "and less than that, however many"],
    ["a:? b:?", true, 0, "", "but all may be undefined"],
    ["a:0 b:0 c:0", true, 0, "", "or empty"],
    ["a:? b:? c:7", false, 7, "a b", "undefined is no majority while a replica has items"],
    ["a:0 b:0 c:7", false, 7, "a b", "nor is empty"],
    ["a:0x b:0x c:7y", false, 7, "a b", "whatever their digests"],
    ["a:0* b:7", false, 7, "a", "of two the empty one deviates"],
    ["a:0 b:7*", false, 7, "a", "even if the other one deviated before"],
    ["a:? b:? c:0 d:0 e:1", false, 1, "a b c d", "one item is more than nothing"],
    ["a:7x b:7x c:0 d:0 e:?", false, 7, "c d e", "the majority is among those with items"],
    ["a:7x b:7x c:7y d:7y e:3", false, 4, "c d e", "of groups of one size the one with the first pod"],
    ["a:7x b:7x c:9y d:9y e:?", false, 9, "a b e", "or the one with more items"],
    ["a:7 b:7 c:? d:? e:?", false, 7, "c d e", "pods that have just started are no majority"],
    ["a:! b:0", false, 0, "b", "a text is not an empty object"],
    ["a:! b:0 c:0", false, 0, "b c", "and more than that"],
    ["a:! b:! c:7", false, 7, "a b", "but less than items"],
    ["a:!x b:!y", false, 0, "b", "two texts may be different ones"],
    ["a:!x b:!x c:!y", false, 0, "c", "and most of them the same"],
    ["a:0x b:0x c:00y", false, 0, "a b", "namespaces without items are more than none, where digests differ"],
    ["a:0x b:00x", true, 0, "", "and the same, where they do not"],
  ]
for (const [replicas, inSync, spread, deviating, why] of table) {
  test(`${replicas || "no pods"}: ${why}`, () => {
    const result = compare(replicas.split(" ").filter(Boolean).map(replica))
    assert.deepEqual(
      [result.deviating.size === 0, result.spread, [...result.deviating].toSorted().join(" ")],
      [inSync, spread, deviating],
    )
  })
}

test("members of namespaces decide, not the namespaces", () => {
  const of = (pod: string, keys: number, members: number): Replica => ({
    pod,
    pathCount: { kind: "counted", keys, members, digest: undefined },
    digest: undefined,
    wasDeviating: false,
  })
  assert.deepEqual(compare([of("a", 2, 5), of("b", 3, 5)]).deviating, new Set())
  assert.deepEqual(compare([of("a", 2, 5), of("b", 2, 6)]).deviating, new Set(["a"]))
})

test("the verdict does not depend on the order of the replicas", () => {
  const generated = fc.tuple(
    fc.constantFrom("0", "1", "2", "?", "!"),
    fc.constantFrom("", "x", "y", "x~", "y~", "x*", "y~*"),
  )
  fc.assert(
    fc.property(fc.array(generated, { maxLength: 7 }), fc.infiniteStream(fc.nat()), (list, random) => {
      const replicas = list.map(([items, digest], index) =>
        replica(`p${index}:${items}${/\d/.test(items) ? digest : ""}`),
      )
      const shuffled = replicas
        .map((one) => [random.next().value ?? 0, one] as const)
        .toSorted(([a], [b]) => a - b)
        .map(([, one]) => one)
      const [first, second] = [compare(replicas), compare(shuffled)]
      assert.deepEqual(
        { ...second, deviating: [...second.deviating].toSorted() },
        { ...first, deviating: [...first.deviating].toSorted() },
      )
      assert.equal(first.majority, replicas.length - first.deviating.size)
      assert.ok(replicas.length === 0 || first.majority > 0)
      const holding = replicas.filter(({ pathCount }) => itemsOf(pathCount) > 0)
      assert.ok(holding.length === 0 || holding.some(({ pod }) => !first.deviating.has(pod)))
    }),
  )
})
