import assert from "node:assert/strict"
import { test } from "node:test"
import * as fc from "fast-check"
import { need } from "../../dev/testing/component.ts"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { findPrometheus, startPrometheus, VERSIONS } from "../../dev/testing/prometheus.ts"
import { normalizeAccept } from "./accept.ts"

const PROTOBUF = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily"
const types = fc.constantFrom(
  ...["text/plain", "*/*", "text/html", "application/openmetrics-text", "application/*", "x"],
  ...[`${PROTOBUF};encoding=delimited`, PROTOBUF, "application/vnd.google.protobuf"],
)
const parameters = fc.constantFrom(
  ...["q=0.1", "q=0.5", "q=1", "version=0.0.4", "version=1.0.0", "version=9", "charset=utf-8", "a=b", "escaping=mine"],
  ...["escaping=allow-utf-8", "escaping=underscores", "escaping=dots", "escaping=values"],
)
// before a semicolon, Prometheus would not read a weight any more
const space = fc.constantFrom("", " ")
const range = fc
  .tuple(types, fc.uniqueArray(parameters, { maxLength: 3, selector: (one) => one.split("=")[0] }), space)
  // the escaping of a range that counts for nothing else is the one thing that is lost
  .map(([type, all, gap]) =>
    [type, ...all.filter((one) => !one.startsWith("escaping=") || type === "text/plain")].join(`;${gap}`),
  )
const headers = fc.tuple(fc.array(range, { maxLength: 5 }), space).map(([all, gap]) => all.join(`,${gap}`))

for (const version of VERSIONS) {
  test(`Prometheus ${version} gives the same type for what is passed on of an Accept as for all of it`, async (t) => {
    const folder = need(t, findPrometheus(version))
    if (folder === undefined) return
    const prometheus = await startPrometheus(folder, await temporaryFolder(t).write("prometheus.yml", "{}"))
    t.after(() => prometheus.stop())
    const typeFor = async (accept: string | undefined) => {
      // fetch adds */* where there is none, which Prometheus leaves out of account
      const response = await fetch(`${prometheus.url}/federate?match[]=up`, { headers: { accept: accept ?? "*/*" } })
      await response.text()
      return response.headers.get("content-type")
    }
    await fc.assert(
      fc.asyncProperty(headers, async (header) => {
        assert.equal(await typeFor(normalizeAccept(header)), await typeFor(header), normalizeAccept(header))
      }),
      { numRuns: 200 },
    )
  })
}
