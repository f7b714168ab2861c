import assert from "node:assert/strict"
import { test } from "node:test"
import { gzipSync } from "node:zlib"
import * as fc from "fast-check"
import { inspect } from "./inspect.ts"
import { countSeries, type MetricsFormat } from "./series.ts"

const TEXT = `# TYPE up untyped
up{job="a"} 1 1

up{job="b # \\n"} 0 1
# HELP x y
x 1
`

/** A MetricFamily with so many metrics, as Prometheus' encoder writes it. */
function family(metrics: number, name = "up"): Buffer {
  const field = (number: number, content: Buffer): Buffer =>
    Buffer.concat([Buffer.from([number * 8 + 2]), varint(content.length), content])
  const metric = field(4, Buffer.concat([field(1, Buffer.from("\x22\x0a")), Buffer.from([3 * 8 + 1]), Buffer.alloc(8)]))
  const message = Buffer.concat([
    field(1, Buffer.from(name)),
    Buffer.from([3 * 8, 2]),
    ...Array.from({ length: metrics }, () => metric),
  ])
  return Buffer.concat([varint(message.length), message])
}

function varint(value: number): Buffer {
  const bytes = []
  for (; value >= 128; value = Math.floor(value / 128)) bytes.push((value % 128) + 128)
  return Buffer.from([...bytes, value])
}

function count(
  format: MetricsFormat,
  body: Buffer,
  cuts: readonly number[] = [],
): readonly [number, string | undefined] {
  const counter = countSeries(format)
  const ends = [...cuts.map((cut) => cut % (body.length + 1)), body.length].toSorted((a, b) => a - b)
  for (const [index, end] of ends.entries()) counter.add(body.subarray(ends[index - 1] ?? 0, end))
  return [counter.series, counter.unfinished()]
}

test("counts the samples of a text", () => assert.deepEqual(count("text", Buffer.from(TEXT)), [3, undefined]))

test("finds a text that ends within a line", () =>
  assert.deepEqual(count("text", Buffer.from(TEXT.slice(0, -1))), [2, "its last line is not whole"]))

test("counts the metrics of protobuf messages", () =>
  assert.deepEqual(count("protobuf", Buffer.concat([family(3), family(0), family(400, "x".repeat(200))])), [
    403,
    undefined,
  ]))

test("finds protobuf that ends within a message", () =>
  assert.equal(count("protobuf", family(3).subarray(0, -1))[1], "its last message is not whole"))

test("refuses protobuf whose fields are longer than their message", () =>
  assert.throws(() => count("protobuf", Buffer.from([2, 4 * 8 + 2, 100])), /longer than its message/))

test("counts the same however the body is cut", () => {
  const bodies: readonly (readonly [MetricsFormat, Buffer, number])[] = [
    ["text", Buffer.from(TEXT), 3],
    ["protobuf", Buffer.concat([family(3), family(20, "y".repeat(150))]), 23],
  ]
  fc.assert(
    fc.property(fc.constantFrom(...bodies), fc.array(fc.nat(), { maxLength: 30 }), ([format, body, series], cuts) => {
      assert.deepEqual(count(format, body, cuts), [series, undefined])
    }),
  )
})

async function inspectAll(body: Buffer): Promise<number | string> {
  let series = 0
  const inspection = inspect("text", true, (found) => (series = found))
  try {
    for (let at = 0; at < body.length; at += 100) inspection.add(body.subarray(at, at + 100))
    await inspection.end()
    return series
  } catch (error) {
    return (error as Error).message
  }
}

test("counts the series of a compressed body", async () => {
  assert.equal(await inspectAll(gzipSync(TEXT)), 3)
})

test("finds a compressed body that is cut short", async () => {
  assert.equal(await inspectAll(gzipSync(TEXT).subarray(0, -4)), "unexpected end of file")
})

test("finds a compressed body that is damaged", async () => {
  const body = gzipSync(TEXT)
  body[body.length - 6] = 255 - (body[body.length - 6] ?? 0)
  assert.equal(await inspectAll(body), "incorrect data check")
})

test("stops at a bomb", async () => {
  assert.equal(await inspectAll(gzipSync(Buffer.alloc(50_000_000, "#"))), "it grows without measure")
})
