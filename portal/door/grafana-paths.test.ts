import assert from "node:assert/strict"
import { test } from "node:test"
import { decideGrafana } from "./grafana-paths.ts"

for (const [method, path, kind, sent = path] of [
  ["GET", "/", "page"],
  ["GET", "/d/abc/my-board", "page"],
  ["HEAD", "/d/abc/my board", "page", "/d/abc/my%20board"],
  ["GET", "/public/build/app.js", "plain"],
  ["GET", "/api/dashboards/uid/abc", "plain"],
  ["POST", "/api/ds/query", "plain"],
  ["PUT", "/api/dashboards/x", "plain"],
  ["DELETE", "/api/dashboards/uid/abc", "plain"],
] as const) {
  test(`${method} ${path} is passed to Grafana as ${sent}`, () => {
    assert.deepEqual(decideGrafana(method, path), { kind, path: sent })
  })
}

for (const [method, path] of [
  ["GET", "/metrics"],
  ["GET", "/debug/pprof/heap"],
  ["GET", "/login"],
  ["POST", "/login"],
  ["GET", "/api/live/ws"],
  ["GET", "/API/live/ws"],
  ["GET", "/api/admin/settings"],
  ["POST", "/api/admin/users"],
  ["POST", "/d/abc"],
  ["OPTIONS", "/api/ds/query"],
  ["TRACE", "/"],
] as const) {
  test(`${method} ${path} is not passed to Grafana`, () => {
    assert.equal(decideGrafana(method, path), undefined)
  })
}
