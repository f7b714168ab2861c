import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { SeenNames } from "./seen-names.ts"

test("finds only names that came before with the same target", () => {
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
    "n".repeat(64),
    "n".repeat(65),
  )
  const entries = fc.array(fc.tuple(name, fc.nat(2), fc.nat(2)), { maxLength: 60 })
  const slots = fc.constantFrom(1, 2, 1024)
  fc.assert(
    fc.property(entries, slots, (list, count) => {
      const seen = new SeenNames<object>(count)
      const before = new Set<string>()
      for (const [text, target, number] of list) {
        // each in a message of its own
        const message = Buffer.from(`${number}${text}`)
        const found = seen.add(message, 1, message.length, targets[target] as object, number)
        if (found) assert.ok(before.has(`${text} ${target}`), `${text} of target ${target} did not stand before`)
        before.add(`${text} ${target}`)
      }
    }),
  )
})

test("finds a name at once where it comes again", () => {
  const seen = new SeenNames<object>()
  const message = Buffer.from("upupdown")
  const [one, other] = [{}, {}]
  const found = [
    seen.add(message, 0, 2, one, 0),
    seen.add(message, 2, 4, one, 0),
    seen.add(message, 2, 4, other, 1),
    seen.add(message, 4, 8, one, 0),
    seen.add(message, 0, 2, one, 0),
  ]
  assert.deepEqual(found, [false, true, false, false, true])
})
