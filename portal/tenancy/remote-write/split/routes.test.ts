import assert from "node:assert/strict"
import test from "node:test"
import type { Route, Routing } from "../routing/routing.ts"
import { routeOf } from "./routes.ts"

function counting(): { readonly routing: Routing; readonly asked: (readonly (string | undefined)[])[] } {
  const asked: (readonly (string | undefined)[])[] = []
  const route = (values: readonly (string | undefined)[]): Route => {
    asked.push(values)
    return { refused: String(values), tenant: "" }
  }
  return { asked, routing: { tenantLabels: ["a", "b"], groupLabels: [], mostTenants: 1, route } }
}

test("routes the same values once, for each routing", () => {
  const [first, second] = [counting(), counting()]
  for (const { routing } of [first, second, first]) {
    assert.deepEqual(routeOf(routing, ["a", undefined]), { refused: "a,", tenant: "" })
    assert.deepEqual(routeOf(routing, [undefined, "a"]), { refused: ",a", tenant: "" })
    assert.deepEqual(routeOf(routing, ["undefined", "a"]), { refused: "undefined,a", tenant: "" })
  }
  assert.equal(first.asked.length, 3)
  assert.equal(second.asked.length, 3)
})

test("keeps neither long values nor any number of them", () => {
  const { routing, asked } = counting()
  for (let count = 0; count < 3; count++) routeOf(routing, ["x".repeat(10_000)])
  assert.equal(asked.length, 3)
  for (let count = 0; count <= 10_000; count++) routeOf(routing, [String(count)])
  routeOf(routing, ["10000"])
  assert.equal(asked.length, 10_004)
  routeOf(routing, ["0"])
  assert.equal(asked.length, 10_005)
})
