import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { compressSync } from "snappy"
import { decodeMessage } from "../../../../dev/testing/remote-write/schema.ts"
import { blockOf, messageOf } from "../store.testing.ts"
import { decodePage } from "./read-response.ts"
import { SeriesReader } from "./series-reader.ts"
import type { StoredSeries } from "./series.ts"

const text = fc.oneof(
  fc.constantFrom("a", "ab", "bb", "ä", "日本", "\ud83d\ude00", "a=b", ""),
  fc.string({ unit: "grapheme", maxLength: 20 }),
)
const series = fc.record({
  labels: fc.dictionary(fc.oneof(fc.constant("__name__"), text), text, { maxKeys: 6, noNullPrototype: true }),
  samples: fc.array(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer()), { maxLength: 4 }),
})

interface Decoded {
  readonly results: readonly {
    readonly timeseries: readonly {
      readonly labels: readonly { readonly name?: string; readonly value?: string }[]
      readonly samples: readonly { readonly value: string; readonly timestamp: string }[]
    }[]
  }[]
}

/** The same by protobufjs. */
function expectedOf(message: Buffer): readonly StoredSeries[] {
  const { results } = decodeMessage("ReadResponse", message) as Decoded
  return results.flatMap(({ timeseries }) =>
    timeseries.flatMap(({ labels, samples }): readonly StoredSeries[] => {
      const pairs = labels.map(({ name = "", value = "" }) => [name, value] as const)
      const name = pairs.find(([label]) => label === "__name__")?.[1] ?? ""
      let newest: (typeof samples)[number] | undefined
      for (const sample of samples)
        if (newest === undefined || Number(sample.timestamp) >= Number(newest.timestamp)) newest = sample
      if (name === "" || newest === undefined) return []
      const bits = Buffer.alloc(8)
      bits.writeBigUInt64LE(BigInt(newest.value))
      const others = pairs.filter(([label, value]) => label !== "__name__" && value !== "")
      return [{ name, labels: others, timestamp: Number(newest.timestamp), sample: bits.readDoubleLE() }]
    }),
  )
}

test("reads the same as protobufjs, whatever series follow each other", () => {
  fc.assert(
    fc.property(fc.array(fc.array(series, { maxLength: 8 }), { maxLength: 3 }), (results) => {
      const block = blockOf(...results)
      const { message, places, series: count } = decodePage(block)
      const reader = new SeriesReader(message)
      const read = [...places.values()].flatMap((found) =>
        found.flatMap((start, index) => {
          const one = index % 2 === 0 ? reader.read(start, found[index + 1] ?? 0) : undefined
          return one === undefined ? [] : [{ start, one }]
        }),
      )
      const inOrder = read.toSorted((a, b) => a.start - b.start).map(({ one }) => one)
      assert.deepEqual(inOrder, expectedOf(messageOf(results)))
      assert.equal(count, results.flat().length)
    }),
  )
})

test("knows which names several results have brought", () => {
  const of = (name: string) => ({ labels: { __name__: name }, samples: [[1, 1]] as const })
  const { repeated } = decodePage(
    blockOf([of("a"), of("a"), of("b"), of("c")], [of("b"), of("d"), of("d")], [of("c"), of("b")]),
  )
  assert.deepEqual([...repeated].toSorted(), ["b", "c"])
})

test("refuses every message that is cut, or reads what is whole of it", () => {
  const message = messageOf([[{ labels: { __name__: "a", b: "c" }, samples: [[1, 1]] }]])
  for (let end = 1; end < message.length; end++) {
    assert.throws(() => decodePage(compressSync(message.subarray(0, end))), {
      code: "UPSTREAM_BAD_RESPONSE",
      status: 502,
      message: "The store of the metrics sent a response that cannot be used: its series are malformed.",
    })
  }
})

test("random bytes end in an error of the store, or in series", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, compressed) => {
      try {
        const { message, places } = decodePage(compressed ? compressSync(Buffer.from(bytes)) : Buffer.from(bytes))
        const reader = new SeriesReader(message)
        for (const found of places.values()) {
          for (let at = 0; at < found.length; at += 2) reader.read(found[at] ?? 0, found[at + 1] ?? 0)
        }
      } catch (error) {
        assert.equal((error as { code?: string }).code, "UPSTREAM_BAD_RESPONSE")
      }
    }),
  )
})
