import assert from "node:assert/strict"
import test from "node:test"
import { requireSnappy, versionOf } from "./media-type.ts"

const V2 = "io.prometheus.write.v2.Request"
const ACCEPTED =
  "Accepted: application/x-protobuf, application/x-protobuf;proto=prometheus.WriteRequest, application/x-protobuf;proto=io.prometheus.write.v2.Request."

for (const [header, version] of [
  [undefined, 1],
  ["", 1],
  ["application/x-protobuf", 1],
  ["Application/X-Protobuf", 1],
  [" application/x-protobuf ;", 1],
  ["application/x-protobuf;;charset=utf-8", 1],
  ["application/x-protobuf;proto=prometheus.WriteRequest", 1],
  ["application/x-protobuf ;\tPROTO=prometheus.WriteRequest", 1],
  [`application/x-protobuf;proto=${V2}`, 2],
  [`application/x-protobuf; proto=${V2}`, 2],
  [`application/x-protobuf;proto="${V2}"`, 2],
  [`application/x-protobuf;Proto="io.prometheus\\.write.v2.Request" `, 2],
  [`application/x-protobuf;charset="a;proto=x";proto=${V2}`, 2],
  [`application/x-protobuf;charset=utf-8;proto=${V2};x=1`, 2],
] as const) {
  test(`takes ${header} for version ${version}`, () => {
    assert.equal(versionOf(header), version)
  })
}

for (const header of [
  "application/json",
  "application/vnd.google.protobuf",
  "application/x-protobuf2",
  "application",
  "application/x-protobuf;proto",
  "application/x-protobuf;proto=",
  `application/x-protobuf;proto =${V2}`,
  `application/x-protobuf;proto= ${V2}`,
  `application/x-protobuf;proto="${V2}`,
  `application/x-protobuf;proto=${V2}"`,
  `application/x-protobuf,application/x-protobuf;proto=${V2}`,
  `application/x-protobuf;proto=${V2};proto=${V2}`,
  `application/x-protobuf;proto=prometheus.WriteRequest;Proto=${V2}`,
  "application/x-protobuf;proto=io.prometheus.write.v3.Request",
  `application/x-protobuf;proto=${V2.toLowerCase()}`,
  "application/x-protobuf x",
  `application/x-protobuf${";".repeat(2000)}`,
]) {
  test(`refuses ${header.slice(0, 90)}`, () => {
    assert.throws(() => versionOf(header), { code: "UNSUPPORTED_MEDIA_TYPE", status: 415 })
  })
}

test("names what it accepts, and shows what it does not without what would break a line", () => {
  assert.throws(() => versionOf('text/plain;a="é"'), {
    message: `The Content-Type "text/plain;a=\\"?\\"" is not accepted. ${ACCEPTED}`,
  })
  assert.throws(() => requireSnappy("gzip"), {
    status: 415,
    message:
      'The Content-Encoding "gzip" is not accepted: a body is compressed with snappy, in its block format, and its Content-Type is one of: ' +
      ACCEPTED.replace("Accepted: ", ""),
  })
})

test("accepts snappy, and no header, as the encoding", () => {
  for (const encoding of [undefined, "snappy", "Snappy", " snappy "]) requireSnappy(encoding)
  for (const encoding of ["", "gzip", "deflate", "identity", "snappy, gzip", "snappy,", "x-snappy"]) {
    assert.throws(() => requireSnappy(encoding), { code: "UNSUPPORTED_ENCODING", status: 415 })
  }
})
