import assert from "node:assert/strict"
import { test } from "node:test"
import { parseTarget } from "./target.ts"

const PREFIX = "/prometheus"

for (const [url, path, query = ""] of [
  ["/prometheus", ""],
  ["/prometheus?a=1", "", "a=1"],
  ["/prometheus/", "/"],
  ["/prometheus/graph", "/graph"],
  ["/prometheus/api/v1/%61dmin/tsdb/snapshot", "/api/v1/admin/tsdb/snapshot"],
  ["/%70rometheus/api/v1/query?query=up", "/api/v1/query", "query=up"],
  ["/prometheus/api/v1/query?a?b;c=%252e", "/api/v1/query", "a?b;c=%252e"],
  ["/prometheus/api/v1%2Fquery", "/api/v1/query"],
  ["/prometheus%2Fapi%2fv1/query", "/api/v1/query"],
  ["/prometheus/API/v1/query", "/API/v1/query"],
] as const) {
  test(`${url} is ${path === "" ? "the prefix itself" : path}`, () => {
    assert.deepEqual(parseTarget(url, PREFIX), { path, query })
  })
}

for (const url of [
  "/",
  "/prometheusx",
  "/Prometheus/graph",
  "/grafana/",
  "//prometheus/graph",
  "http://other.example.org/prometheus/graph",
  "/prometheus//graph",
  "/prometheus/api//v1/query",
  "/prometheus/%2Fgraph",
  "/prometheus/graph//",
  "/prometheus/../graph",
  "/prometheus/./graph",
  "/prometheus/api/v1/..",
  "/prometheus/%2e%2e/graph",
  "/prometheus/%2E/graph",
  "/prometheus/static/..%2f-/quit",
  "/prometheus/static/..%5c-/quit",
  "/prometheus/static\\..\\-/quit",
  "/prometheus/%252e%252e/-/quit",
  "/prometheus/api/v1/%2561dmin",
  "/prometheus/graph;x=1",
  "/prometheus/graph%3bx",
  "/prometheus/graph%00",
  "/prometheus/graph%0d%0ax",
  "/prometheus/graph%zz",
  "/prometheus/graph%",
  "/prometheus/%c0%ae%c0%ae/quit",
]) {
  test(`${url} is no target`, () => {
    assert.equal(parseTarget(url, PREFIX), undefined)
  })
}
