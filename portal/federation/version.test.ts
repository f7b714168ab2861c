import assert from "node:assert/strict"
import { test } from "node:test"
import { parseVersion } from "./version.ts"

for (const [text, version] of [
  ["2.53", { major: 2, minor: 53 }],
  ["v3.5.0", { major: 3, minor: 5 }],
  ["2.42.0+ds", { major: 2, minor: 42 }],
  ["3.6.0-rc.1", { major: 3, minor: 6 }],
  ["3", undefined],
  ["three.five", undefined],
  ["", undefined],
] as const) {
  test(`reads the version of Prometheus ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseVersion(text), version)
  })
}
