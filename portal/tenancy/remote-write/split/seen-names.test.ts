import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { SeenNames } from "./seen-names.ts"

test("finds only names that stood before in the message with the same target", () => {
  const targets = [{}, {}, {}]
  const name = fc.constantFrom(
    "up",
    "up_total",
    "up_tota",
    "aup_total",
    "bup_total",
    "go_gc_seconds",
    "no_gc_seconds",
    "",
  )
  const entries = fc.array(fc.tuple(name, fc.nat(2), fc.nat(2)), { maxLength: 60 })
  const slots = fc.constantFrom(1, 2, 1024)
  fc.assert(
    fc.property(entries, slots, (list, count) => {
      const seen = new SeenNames<object>(Buffer.from(list.map(([text]) => text).join("")), count)
      const before = new Set<string>()
      let at = 0
      for (const [text, target, number] of list) {
        const found = seen.add(at, (at += text.length), targets[target] as object, number)
        if (found) assert.ok(before.has(`${text} ${target}`), `${text} of target ${target} did not stand before`)
        before.add(`${text} ${target}`)
      }
    }),
  )
})

test("finds a name at once where it comes again", () => {
  const seen = new SeenNames<object>(Buffer.from("upupdown"))
  const [one, other] = [{}, {}]
  const found = [
    seen.add(0, 2, one, 0),
    seen.add(2, 4, one, 0),
    seen.add(2, 4, other, 1),
    seen.add(4, 8, one, 0),
    seen.add(0, 2, one, 0),
  ]
  assert.deepEqual(found, [false, true, false, false, true])
})
