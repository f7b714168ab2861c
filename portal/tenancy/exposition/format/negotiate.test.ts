import assert from "node:assert/strict"
import { test } from "node:test"
import { normalizeAccept } from "#core/federation/accept.ts"
import { openFormat, wantedFormat } from "./negotiate.ts"

const OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
const PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
const PROTOBUF_RANGE = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
const TEXT = "text/plain; version=0.0.4; charset=utf-8"
const UTF8 = "escaping=allow-utf-8"

const CASES: readonly (readonly [accept: string, contentType: string])[] = [
  // Prometheus 2.42
  [
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    OPEN_METRICS,
  ],
  [
    `${PROTOBUF_RANGE},application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`,
    PROTOBUF,
  ],
  // 2.53
  [
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    OPEN_METRICS,
  ],
  [
    `${PROTOBUF_RANGE};q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
    PROTOBUF,
  ],
  // 3.5, also with native histograms, with legacy names only, and with text as its only protocol
  [
    `application/openmetrics-text;version=1.0.0;${UTF8};q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;${UTF8};q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
    `${OPEN_METRICS}; ${UTF8}`,
  ],
  [
    `${PROTOBUF_RANGE};${UTF8};q=0.7,application/openmetrics-text;version=1.0.0;${UTF8};q=0.6,*/*;q=0.2`,
    `${PROTOBUF}; ${UTF8}`,
  ],
  ["application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,*/*;q=0.2", OPEN_METRICS],
  [`text/plain;version=1.0.0;${UTF8};q=0.3,*/*;q=0.2`, `text/plain; version=1.0.0; charset=utf-8; ${UTF8}`],
  ["text/plain;version=0.0.4;q=0.3,*/*;q=0.2", TEXT],
  // others
  ["", TEXT],
  ["*/*", TEXT],
  ["text/*", TEXT],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", TEXT],
  ["application/*", OPEN_METRICS],
  ["application/openmetrics-text", OPEN_METRICS],
  ["application/openmetrics-text;version=0.0.1", OPEN_METRICS.replace("1.0.0", "0.0.1")],
  ["application/openmetrics-text;version=2.0.0", TEXT],
  ["application/openmetrics-text;version=2.0.0,application/openmetrics-text;version=1.0.0;q=0.1", OPEN_METRICS],
  ["application/openmetrics-text;q=0.5,text/plain;q=0.6", TEXT],
  ["application/openmetrics-text;q=0,text/plain;q=0", TEXT],
  ["text/plain;q=0.5,application/openmetrics-text;q=0.5", TEXT],
  ["application/openmetrics-text;escaping=dots", OPEN_METRICS],
  ["application/vnd.google.protobuf", PROTOBUF],
  ["application/vnd.google.protobuf;encoding=text", TEXT],
  ["text/plain;version=9", TEXT],
]
for (const [accept, contentType] of CASES) {
  test(`responds ${contentType} to ${JSON.stringify(accept)}`, () => {
    assert.equal(openFormat(wantedFormat(normalizeAccept(accept)), false).contentType, contentType)
  })
}

test("responds text to what has no Accept header", () => {
  assert.equal(openFormat(wantedFormat(undefined), false).contentType, TEXT)
})
