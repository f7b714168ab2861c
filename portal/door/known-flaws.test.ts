import assert from "node:assert/strict"
import { test } from "node:test"
import { openAgent } from "#core/http/agent.ts"
import { createLogger } from "#core/log/logger.ts"
import { until } from "../../dev/testing/until.ts"
import { flawOf, watchFlaws } from "./known-flaws.ts"
import { standIn } from "./testing.ts"

for (const version of ["2.42.0", "2.53.5", "3.0.0", "v3.5.4", "3.5.3+ds1", "3.6.0", "3.11.3", "3.12.9"]) {
  test(`Prometheus ${version} has a known flaw`, () => {
    assert.equal(
      flawOf(version),
      `The pages of Prometheus ${version.replace(/^v|\+.*/g, "")} may run scripts that a site puts into its labels: use 3.5.5, or 3.13 or newer.`,
    )
  })
}

for (const version of ["3.5.5", "3.5.10", "3.13.0", "3.14.1", "4.0.0", "unknown", ""]) {
  test(`Prometheus ${version} has none`, () => assert.equal(flawOf(version), undefined))
}

test("the version of the running Prometheus is looked at, and its flaw logged and kept", async (t) => {
  const upstream = await standIn(t, (_request, response) => response.end('{"data":{"version":"3.5.4"}}'))
  const agent = openAgent({})
  const ended = new AbortController()
  t.after(() => {
    ended.abort()
    return agent.destroy()
  })
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line))
  const url = new URL(`${upstream.url}/prometheus/`)
  const flaw = watchFlaws(
    { url, sending: () => ({ agent, headers: { authorization: "Bearer a" } }) },
    log,
    ended.signal,
  )
  await until("the flaw", flaw)
  assert.deepEqual(
    upstream.received.map(({ url: path, headers }) => [path, headers.authorization]),
    [["/prometheus/api/v1/status/buildinfo", "Bearer a"]],
  )
  assert.match(lines.join(""), /^[^\n]*level=warn [^\n]*known flaw[^\n]*3\.5\.4[^\n]*\n$/)
})
