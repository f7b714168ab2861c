import assert from "node:assert/strict"
import { test } from "node:test"
import { type UpstreamRequest, upstreamHeaders, upstreamRequest } from "./request.ts"

const TARGET = { name: "a", upstreams: [], accesses: new Map(), path: "/federate", timeout: 30, bytes: 1, series: 1 }

test("adds no Accept of its own", () => {
  assert.deepEqual(upstreamHeaders(upstreamRequest(TARGET, "match%5B%5D=up", {})), {
    "accept-encoding": "identity",
    "x-prometheus-scrape-timeout-seconds": "30",
    "user-agent": "fedstack-proxy",
  })
})

test("never shares a response between requests that may have different ones", () => {
  const accept = "text/plain;escaping=allow-utf-8"
  const requests = [
    upstreamRequest(TARGET, "match%5B%5D=up", {}),
    upstreamRequest(TARGET, "match%5B%5D=up", { accept: "" }),
    upstreamRequest(TARGET, "match%5B%5D=up", { accept }),
    upstreamRequest(TARGET, "match%5B%5D=up", { accept: accept.toUpperCase() }),
    upstreamRequest(TARGET, "match%5B%5D=up", { accept: `${accept} ` }),
    upstreamRequest(TARGET, "match%5B%5D=up", { "accept-encoding": "gzip" }),
    upstreamRequest(TARGET, "match%5B%5D=down", {}),
    upstreamRequest({ ...TARGET, name: "b" }, "match%5B%5D=up", {}),
  ]
  assert.equal(new Set(requests.map(({ key }) => key)).size, requests.length)
})

test("makes the same request whatever the one before was", () => {
  const made = (last?: UpstreamRequest) => [
    upstreamRequest(TARGET, "q", {}, last),
    upstreamRequest(TARGET, "q", { accept: "" }, last),
    upstreamRequest(TARGET, "q", { accept: "text/plain" }, last),
    upstreamRequest(TARGET, "q", { "accept-encoding": "gzip" }, last),
    upstreamRequest({ ...TARGET, name: "b" }, "q", {}, last),
  ]
  for (const last of made()) assert.deepEqual(made(last), made())
})

test("shares a response between spellings of the same wish for gzip", () => {
  const [one, other] = ["gzip", "deflate, gzip"].map(
    (coding) => upstreamRequest(TARGET, "q", { "accept-encoding": coding }).key,
  )
  assert.equal(one, other)
})
