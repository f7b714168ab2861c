import assert from "node:assert/strict"
import test from "node:test"
import { requireVersion } from "./announced.ts"

const hex = (text: string): Buffer => Buffer.from(text, "hex")

test("refuses a message of the other version, which receivers would lose", () => {
  assert.throws(() => requireVersion(hex("22002a00"), 1), {
    code: "OTHER_VERSION",
    status: 400,
    message:
      "The body is the message io.prometheus.write.v2.Request, while its Content-Type announces prometheus.WriteRequest. Nothing of it is stored: send the Content-Type application/x-protobuf;proto=io.prometheus.write.v2.Request.",
  })
  for (const message of ["0a00", "1a00", "c03e011a00"]) {
    assert.throws(() => requireVersion(hex(message), 2), { code: "OTHER_VERSION", status: 400 })
  }
})

test("accepts messages with fields of their own version, and empty ones", () => {
  for (const message of ["", "0a00", "1a00", "c03e01", "22000a00", "2a001a00"]) requireVersion(hex(message), 1)
  for (const message of ["", "2200", "2a00", "c03e01", "0a002200", "1a002a00"]) requireVersion(hex(message), 2)
})

test("refuses a message that is malformed before a field decides", () => {
  assert.throws(() => requireVersion(hex("0001"), 1), { code: "MALFORMED_MESSAGE", status: 400 })
})
