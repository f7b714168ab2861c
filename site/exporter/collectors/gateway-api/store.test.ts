import assert from "node:assert/strict"
import { buffer, text } from "node:stream/consumers"
import { test } from "node:test"
import { gunzipSync } from "node:zlib"
import * as fc from "fast-check"
import { gzip, plain } from "../../body.ts"
import { createExposition, type Source } from "./exposition.ts"
import type { Kind } from "./kind.ts"
import { createStore } from "./store.ts"

const kind: Kind = {
  kind: "Thing",
  plural: "things",
  groups: ["example.org"],
  prefix: "things",
  families: ["a", "b"].map((suffix) => ({ suffix, help: `Of ${suffix}.`, samples: () => undefined })),
}
const exported = { kind, group: "example.org", version: "v1", families: kind.families }

/** What an object is rendered to: a line of each family, or none. */
const rendered = fc.record({
  texts: fc.tuple(fc.constantFrom("", "a 1\n", "a 2\n", "é 3\n"), fc.constantFrom("", "b 1\n", 'b "long" 2\n')),
  duplicates: fc.nat(2),
})
const key = fc.nat(400).map((number) => `ns/${number}`)
const change = fc.oneof(
  fc.record({ put: key, value: rendered }),
  fc.record({ delete: key }),
  fc.constant({ read: true as const }),
)

test("a store exposes its objects in order, however they came and went", async () => {
  await fc.assert(
    fc.asyncProperty(fc.boolean(), fc.array(change, { maxLength: 600, size: "max" }), async (filled, changes) => {
      const [store, model] = [createStore(2), new Map<string, { texts: readonly string[]; duplicates: number }>()]
      const [exposition, tail] = [createExposition(), Buffer.from("tail\n")]
      const put = (at: string, value: { texts: readonly string[]; duplicates: number }): void => {
        store.put(at, value)
        model.set(at, value)
      }
      if (filled)
        for (let at = 0; at < 300; at++) put(`ns/${String(at).padStart(3, "0")}`, { texts: ["a\n", ""], duplicates: 0 })
      for (const each of changes) {
        if ("put" in each) put(each.put, each.value)
        else if ("delete" in each) {
          store.delete(each.delete)
          model.delete(each.delete)
        } else exposition([{ exported, store }], "")
      }
      const objects = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value)
      const expected = `${["a", "b"]
        .map((suffix, family) =>
          familyText(
            suffix,
            objects.map(({ texts }) => texts[family] ?? ""),
          ),
        )
        .join("")}status\n`
      const body = exposition([{ exported, store }], "status\n")
      assert.equal(await text(plain(body, tail)), `${expected}tail\n`)
      assert.equal(gunzipSync(Buffer.concat(gzip(body, tail))).toString(), `${expected}tail\n`)
      assert.equal(store.size, model.size)
      assert.equal(
        store.duplicates,
        objects.reduce((sum, { duplicates }) => sum + duplicates, 0),
      )
    }),
    { numRuns: 60 },
  )
})

function familyText(suffix: string, texts: readonly string[]): string {
  const all = texts.join("")
  return all === "" ? "" : `# HELP things_${suffix} Of ${suffix}.\n# TYPE things_${suffix} gauge\n${all}`
}

test("an object that renders to the same text changes nothing", () => {
  const store = createStore(2)
  for (let at = 100; at < 400; at++) store.put(`ns/${at}`, { texts: [`a ${at}\n`, ""], duplicates: 0 })
  const [exposition, sources] = [createExposition(), [{ exported, store }] satisfies Source[]]
  const before = exposition(sources, "")
  const parts = [...store.parts(0)].map((part) => part.compress())
  store.put("ns/250", { texts: ["a 250\n", ""], duplicates: 0 })
  assert.equal(exposition(sources, "").deflated[0], before.deflated[0])
  store.put("ns/250", { texts: ["a 0\n", ""], duplicates: 0 })
  assert.notEqual(exposition(sources, "").deflated[0], before.deflated[0])
  const changed = [...store.parts(0)].filter((part, index) => part.compress() !== parts[index])
  assert.equal(changed.length, 1)
})

test("a large plain body is handed over in pieces", async () => {
  const store = createStore(2)
  for (let at = 0; at < 300; at++)
    store.put(`ns/${String(at).padStart(3, "0")}`, { texts: [`a ${"x".repeat(10_000)}\n`, ""], duplicates: 0 })
  const pieces: number[] = []
  for await (const piece of plain(createExposition()([{ exported, store }], ""), Buffer.from("tail")))
    pieces.push((piece as Buffer).length)
  assert(pieces.length > 1 && pieces.every((length) => length < 2_097_152))
  assert.equal(
    (await buffer(plain(createExposition()([{ exported, store }], ""), Buffer.from("tail")))).length,
    pieces.reduce((sum, length) => sum + length, 0),
  )
})
