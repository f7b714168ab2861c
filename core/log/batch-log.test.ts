import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../dev/testing/until.ts"
import { batchLog, type Fields } from "./batch-log.ts"
import type { LogOptions } from "./format.ts"
import { createLogger } from "./logger.ts"

const FIELDS: Fields = { text: 'a "b"\n\u0085c', none: undefined, empty: "", plain: "a/b:1", count: 1.5 }

for (const format of ["json", "logfmt"] as const) {
  test(`writes the same ${format} lines as the logger itself`, () => {
    const { log, lines } = start({ level: "info", format })
    log.info({ first: "x y", ...FIELDS }, "request")
    const batch = batchLog(log, "request")
    batch.write("info", batch.show({ first: "x y" }), FIELDS)
    batch.close()
    const [one = "", other = ""] = lines.map((line) => line.replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME"))
    assert.notEqual(one, "")
    assert.equal(other, one)
  })
}

test("writes lines together, within a moment", async () => {
  const { log, lines } = start({ level: "info", format: "logfmt" })
  const batch = batchLog(log, "request")
  for (let count = 0; count < 3; count++) batch.write("info", "", { count })
  assert.deepEqual(lines, [])
  const [text = ""] = await until("the lines", () => (lines.length > 0 ? lines : undefined))
  assert.equal(text.split("\n").length, 4)
  batch.close()
})

test("writes all lines whole and in order, also those that take more room than there is", () => {
  const { log, lines } = start({ level: "info", format: "logfmt" })
  const batch = batchLog(log, "request")
  const texts = [
    "short",
    "\u20ac".repeat(50_000),
    "a".repeat(30_000),
    "\u00e9".repeat(15_000),
    "z".repeat(66_000),
    "last",
  ]
  for (const text of texts) batch.write("info", "", { text })
  batch.close()
  const written = lines.join("").matchAll(/ text=(\S+)\n/g)
  assert.deepEqual(
    [...written].map(([, text]) => text),
    texts,
  )
})

test("leaves out what is below the level", () => {
  const { log, lines } = start({ level: "warn", format: "logfmt" })
  const batch = batchLog(log, "request")
  batch.write("info", "", {})
  batch.close()
  assert.deepEqual(lines, [])
})

function start(options: LogOptions) {
  const lines: string[] = []
  return { lines, log: createLogger(options, "two words", (line) => lines.push(line)) }
}
