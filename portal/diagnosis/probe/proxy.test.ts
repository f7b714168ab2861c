import assert from "node:assert/strict"
import { createServer } from "node:http"
import { test, type TestContext } from "node:test"
import { listen } from "../../../dev/testing/listen.ts"
import { startTestProxy, TOKEN } from "../../../site/proxy/testing.ts"
import { deliver, probed, targetOf } from "./testing.ts"

const [USAGE, NODES] = ['{job="project_usages"}', '{job="node",mode="idle"}']
const REACHED = ["✓ name 127.0.0.1", "✓ connection 127.0.0.1:PORT in N ms", "· tls the url is http://"]

/** What a probe shows of a site's own proxy that shares USAGE and NODES. */
async function throughProxy(
  t: TestContext,
  match: readonly string[],
  { token = TOKEN, upstream = "" } = {},
): Promise<readonly string[]> {
  const prometheus = `http://127.0.0.1:${await listen(
    t,
    createServer((_, response) => deliver(response)),
  )}`
  const { url } = await startTestProxy(t, upstream || prometheus, { allow: [USAGE, NODES] })
  const keys = `url: "${url}", token: {file: token}, match: ${JSON.stringify(match)}`
  const lines = await probed(await targetOf(t, keys, { token }))
  assert.deepEqual(lines.slice(0, 3), REACHED)
  return lines.slice(3)
}

const NOT_REACHED = ["– response", "– exposition", "– freshness"]

test("a site's own proxy that delivers passes every stage", async (t) => {
  assert.deepEqual(await throughProxy(t, [USAGE, NODES]), [
    "✓ token a bearer token",
    `✓ selectors ${USAGE}, ${NODES}`,
    "✓ response 200, 5 B",
    "✓ exposition 1 sample",
    "✓ freshness no timestamps: the moment of the scrape counts",
  ])
})

test("what a site's own proxy says of a wrong token is shown", async (t) => {
  const said = "A valid token is needed, as the header 'Authorization: Bearer TOKEN'."
  assert.deepEqual(await throughProxy(t, [USAGE], { token: "another-token" }), [
    `✕ token 401 to a bearer token: ${said}`,
    "– selectors",
    ...NOT_REACHED,
    `unauthorized: The site does not accept the portal's credentials (401): ${said}`,
  ])
})

test("of several selectors those are named that a site's own proxy does not share, and what it shares", async (t) => {
  const [, selectors, , , , finding] = await throughProxy(t, [USAGE, "up", NODES, '{job="opa"}'])
  assert.equal(
    selectors,
    `✕ selectors 403: 2 of 4 refused: up and {job="opa"}; The selector {__name__="up"} is not shared with portal: it does not restrict job. Shared: ${USAGE} ${NODES}. Request only what is shared, or have more shared.`,
  )
  assert.equal(
    finding,
    `forbidden: The site does not share up and {job="opa"} with this portal (403). It shares ${USAGE} ${NODES}.`,
  )
})

test("a site's own proxy whose Prometheus is gone is distinguished from a broken proxy", async (t) => {
  const unknown = (stage: string): string => `– ${stage} a response with 502 does not show it`
  assert.deepEqual(await throughProxy(t, [USAGE], { upstream: "http://127.0.0.1:1" }), [
    unknown("token"),
    unknown("selectors"),
    "✕ response 502: The site's Prometheus cannot be reached.",
    "– exposition",
    "– freshness",
    "upstream_down: The site's proxy works, its Prometheus does not (502 Bad Gateway): The site's Prometheus cannot be reached.",
  ])
})
