import assert from "node:assert/strict"
import { isUtf8 } from "node:buffer"
import test from "node:test"
import fc from "fast-check"
import { isUtf8Between } from "./labels-v1.ts"

const agrees = (...bytes: number[]): void => {
  const text = Buffer.from([0xff, ...bytes, 0x80])
  assert.equal(isUtf8Between(text, 1, text.length - 1), isUtf8(Buffer.from(bytes)), Buffer.from(bytes).toString("hex"))
}

test("knows UTF-8 as Node does, for every beginning of a character and what may follow", () => {
  const edges = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
  for (let lead = 0; lead < 256; lead++) {
    agrees(lead)
    for (let second = 0; second < 256; second++) agrees(lead, second)
    for (const second of edges) {
      for (const third of edges) {
        agrees(lead, second, third)
        for (const fourth of edges) agrees(lead, second, third, fourth)
      }
    }
  }
})

test("knows UTF-8 as Node does in texts of any length", () => {
  const text = fc.string({ unit: "binary", maxLength: 150 }).map((value) => [...Buffer.from(value)])
  fc.assert(
    fc.property(text, fc.nat(), fc.nat(255), (bytes, at, byte) => {
      agrees(...bytes)
      if (bytes.length > 0) agrees(...bytes.with(at % bytes.length, byte))
    }),
  )
})
