import assert from "node:assert/strict"
import test from "node:test"
import { WireReader } from "./wire.ts"

/** Fields as `number:type[start-end]`. */
function fields(hex: string): string[] {
  const reader = new WireReader(Buffer.from(hex, "hex"), "message")
  const read = []
  while (reader.next()) read.push(`${reader.field}:${reader.wireType}[${reader.start}-${reader.at}]`)
  return read
}

test("reads fields of every type, and a group as one", () => {
  assert.deepEqual(fields("0801 110102030405060708 1a026162 2501020304".replaceAll(" ", "")), [
    "1:0[1-2]",
    "2:1[3-11]",
    "3:2[13-15]",
    "4:5[16-20]",
  ])
  assert.deepEqual(fields("0b 0801 13 14 1a0161 0c 0801".replaceAll(" ", "")), ["1:3[1-9]", "1:0[10-11]"])
})

test("reads numbers that are longer than they need to be", () => {
  assert.deepEqual(fields("8a80808000 82808000 6162".replaceAll(" ", "")), ["1:2[9-11]"])
  assert.deepEqual(fields("08ffffffffffffffffff01"), ["1:0[1-11]"])
  assert.deepEqual(fields("f8ffffff0f00"), ["536870911:0[5-6]"])
})

for (const [name, hex, problem] of [
  ["a number that is cut off", "88", "a number is cut off at byte 1"],
  ["a number that never ends", "08ffffffffffffffffffff01", "a number has more than 64 bits at byte 11"],
  ["a number of 65 bits", "08ffffffffffffffffff02", "a number has more than 64 bits at byte 11"],
  ["the field 0", "0001", "a field has a number that none can have at byte 1"],
  ["a field beyond 2^29", "808080801000", "a field has a number that none can have at byte 5"],
  ["the wire type 6", "0e", "field 1 has the wire type 6, which there is not at byte 1"],
  ["the wire type 7", "0f", "field 1 has the wire type 7, which there is not at byte 1"],
  ["a length beyond the end", "0a0261", "a field is longer than the rest of the message at byte 2"],
  ["a length of 64 bits", "0affffffffffffffffff0161", "a field is longer than the rest of the message at byte 11"],
  ["eight bytes that are seven", "0901020304050607", "a field is longer than the rest of the message at byte 1"],
  ["four bytes that are three", "0d010203", "a field is longer than the rest of the message at byte 1"],
  ["a group without an end", "0b0801", "a group does not end at byte 3"],
  ["an end without a group", "0c", "a group ends that did not begin at byte 1"],
  ["a group that ends as another", "0b14", "a group ends that did not begin at byte 2"],
  ["a length beyond the end in a group", "0b0a05610c", "a field is longer than the rest of the message at byte 3"],
  ["groups without end", "0b".repeat(200), "groups are nested too deeply at byte 101"],
] as const) {
  test(`refuses ${name}`, () => {
    assert.throws(() => fields(hex), {
      code: "MALFORMED_MESSAGE",
      status: 400,
      message: `The body is no valid message: ${problem}. Nothing of it is stored.`,
    })
  })
}
