import assert from "node:assert/strict"
import { setImmediate as turn } from "node:timers/promises"
import { test } from "node:test"
import { randomBytes } from "node:crypto"
import { gzipSync } from "node:zlib"
import * as fc from "fast-check"
import { inspect } from "./inspect.ts"

/** Counts what comes in pieces of these sizes, with or without a turn of the event loop between them. */
async function seriesOf(body: Buffer, sizes: readonly number[], hasty: boolean): Promise<number> {
  let series = 0
  const inspection = inspect("text", true, (found) => (series = found))
  for (let at = 0, piece = 0; at < body.length; piece++) {
    const size = sizes[piece % sizes.length] ?? 1
    inspection.add(body.subarray(at, at + size))
    at += size
    if (!hasty) await turn()
  }
  await inspection.end()
  inspection.close()
  return series
}

test("counts the same series in a compressed response, whatever pieces it comes in", async () => {
  const line = fc.record({ word: fc.string({ maxLength: 30 }), times: fc.integer({ min: 1, max: 20_000 }) })
  const sizes = fc.array(fc.integer({ min: 500, max: 70_000 }), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 6 }), sizes, fc.boolean(), async (lines, pieces, hasty) => {
      const text = lines.map(({ word, times }) => `a${JSON.stringify(word)} ${times}\n`.repeat(times)).join("")
      const count = lines.reduce((sum, { times }) => sum + times, 0)
      assert.equal(await seriesOf(gzipSync(text, { level: 1 }), pieces, hasty), count)
    }),
    { numRuns: 60 },
  )
})

test("rejects a compressed response that lacks its last byte", async () => {
  const body = gzipSync("a 1\n".repeat(100_000)).subarray(0, -1)
  await assert.rejects(seriesOf(body, [4096], false), /unexpected end of file/)
})

test("copies no byte of a compressed response more than once, however much of it waits", async (t) => {
  const body = gzipSync(`a{b="${randomBytes(4_000_000).toString("base64")}"} 1\n`)
  const concat = t.mock.method(Buffer, "concat")
  assert.equal(await seriesOf(body, [4096], true), 1)
  const copied = concat.mock.calls.reduce((sum, { result }) => sum + (result?.length ?? 0), 0)
  assert.ok(copied <= body.length, `${copied} bytes of ${body.length}`)
})
