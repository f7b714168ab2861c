import assert from "node:assert/strict"
import { test } from "node:test"
import { normalizeAccept } from "./accept.ts"

/** As Prometheus sends them: 2.42, 2.53, 3.5 with and without native histograms. */
const OF_PROMETHEUS = [
  "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
  "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
  "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
  "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
]
for (const header of OF_PROMETHEUS) test(`keeps ${header}`, () => assert.equal(normalizeAccept(header), header))

const NORMALIZED: readonly (readonly [header: string, normalized: string | undefined])[] = [
  ["", undefined],
  ["text/html,application/json", undefined],
  [" text/plain ; q=0.5 ,, */* ", "text/plain;q=0.5,*/*"],
  ["text/plain;q=2, text/plain;q=0.12345, text/plain;q", "text/plain"],
  ["text/plain;escaping=mine;a=b", "text/plain"],
  ["text/plain;version=secret", undefined],
  ["TEXT/PLAIN", undefined],
  ["application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text", undefined],
  ["text/plain;__proto__=1;constructor=2;toString=3", "text/plain"],
  ["text/plain,text/plain,text/plain", "text/plain"],
  ["text/plain;q=0.5;q=0.7", "text/plain;q=0.7"],
]
for (const [header, normalized] of NORMALIZED) {
  test(`takes ${JSON.stringify(header)} as ${normalized}`, () => assert.equal(normalizeAccept(header), normalized))
}

test("passes on 16 media ranges, however many come", () => {
  const many = Array.from({ length: 1000 }, (_, index) => `text/plain;version=0.0.${index}`).join(",")
  assert.equal(normalizeAccept(many)?.split(",").length, 16)
})
