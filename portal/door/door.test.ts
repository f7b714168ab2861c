import assert from "node:assert/strict"
import { test } from "node:test"
import { openDoor, standIn } from "./testing.ts"

test("passes a query on, written anew, and its response back", async (t) => {
  const upstream = await standIn(t, (_request, response) =>
    response.setHeader("content-type", "application/json").end('{"status":"success"}'),
  )
  const door = await openDoor(t, upstream.url)
  const response = await fetch(`${door.url}/prometheus/api/v1/%71uery?query=up%7Ba%3D"1"%7D&time=1`)
  assert.deepEqual([response.status, await response.text()], [200, '{"status":"success"}'])
  assert.deepEqual(
    upstream.received.map(({ method, url }) => `${method} ${url}`),
    ["GET /prometheus/api/v1/query?query=up%7Ba%3D%221%22%7D&time=1&timeout=60"],
  )
})

test("what is not listed does not exist", async (t) => {
  const upstream = await standIn(t)
  const door = await openDoor(t, upstream.url)
  const response = await fetch(`${door.url}/prometheus/-/quit`, { method: "POST", body: "x" })
  assert.deepEqual(
    [response.status, await response.text()],
    [404, "The portal does not pass this through to Prometheus.\n"],
  )
  assert.deepEqual(upstream.received, [])
})
