import assert from "node:assert/strict"
import { test } from "node:test"
import { locationInside } from "./location.ts"

const base = new URL("http://10.0.0.1:9090/prometheus/graph")
const inside = (location: string): string | undefined =>
  locationInside(location, base, "/prometheus", [new URL("https://portal.example.org/prometheus/")])

for (const [location, path] of [
  ["/prometheus/query?a=1#b", "/prometheus/query?a=1#b"],
  ["query", "/prometheus/query"],
  ["./", "/prometheus/"],
  ["http://10.0.0.1:9090/prometheus/query", "/prometheus/query"],
  ["https://portal.example.org/prometheus/query", "/prometheus/query"],
] as const) {
  test(`a redirect to ${location} leads to ${path}`, () => assert.equal(inside(location), path))
}

for (const location of [
  "/",
  "/query",
  "/prometheusx",
  "../api/v1/sites",
  "/prometheus/../api/v1/sites",
  "/prometheus/%2e%2e/api/v1/sites",
  "//evil.example.org/prometheus/",
  "\\\\evil.example.org/prometheus/",
  "https://evil.example.org/prometheus/",
  "http://10.0.0.1:9091/prometheus/",
  "javascript:alert(1)",
  "http://[",
]) {
  test(`a redirect to ${location} leads elsewhere`, () => assert.equal(inside(location), undefined))
}
