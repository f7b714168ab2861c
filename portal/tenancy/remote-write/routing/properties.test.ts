import assert from "node:assert/strict"
import test from "node:test"
import fc from "fast-check"
import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import { createRouting } from "./create-routing.ts"
import type { RoutingConfig } from "./routing-config.ts"
import { tenant } from "./testing.ts"

const ids = fc.constantFrom("0", "red", "blue", "__proto__", "constructor", "...").map(tenant)
const value = fc.option(
  fc.oneof(
    ids,
    fc.constantFrom("", "..", "a|b", "team-red", "team-..", "a\r\nb"),
    fc.string({ unit: "binary", maxLength: 200 }),
  ),
  { nil: undefined },
)
const setup = fc.record({
  labels: fc.integer({ min: 0, max: 3 }),
  labelMode: fc.constantFrom("all", "first"),
  pattern: fc.option(fc.constant("team-(.*)"), { nil: undefined }),
  prefix: fc.constantFrom("", "eu-", "."),
  strip: fc.boolean(),
  defaultTenants: fc.uniqueArray(ids, { maxLength: 2 }),
  fullReplication: fc.boolean(),
  unknownTenants: fc.constantFrom("ignore", "refuse"),
  allowed: fc.option(
    fc.uniqueArray(ids).map((all) => new Set(all)),
    { nil: undefined },
  ),
})
const series = fc.array(fc.tuple(value, value, value), { minLength: 1, maxLength: 20 })

test("never routes to an invalid id, twice, outside of the allow list or nowhere, and never leaves a label out that tells series apart", () => {
  fc.assert(
    fc.property(setup, series, ({ labels, allowed, ...given }, all) => {
      const tenantLabels = ["a", "b", "c"].slice(0, labels)
      const config: RoutingConfig = { ...given, tenantLabels, groupLabels: [], mostTenants: 10 }
      const routing = createRouting(config, allowed)
      for (const triple of all) {
        const values = triple.slice(0, labels)
        const route = routing.route(values)
        if ("refused" in route) {
          assert.match(route.refused, /^(?:the (?:tenant|label)|no label) .+/u)
          assert.doesNotMatch(route.refused + route.tenant, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
          continue
        }
        const found = route.destinations.map((destination) => destination.tenant)
        assert.ok(found.length > 0)
        assert.equal(new Set(found).size, found.length)
        for (const { tenant: to, strip } of route.destinations) {
          assert.ok(!(parseTenant(to) instanceof Wrong))
          assert.ok(allowed === undefined || allowed.has(to) || config.defaultTenants.includes(to))
          const named = values.map((text = "") => nameIn(text, config))
          assert.ok(config.defaultTenants.includes(to) || named.includes(to))
          assert.equal(strip, config.strip && !config.defaultTenants.includes(to) ? named.indexOf(to) : undefined)
        }
        assert.ok(!route.byDefault || found.every((to) => config.defaultTenants.includes(to)))
        if (config.fullReplication || route.byDefault)
          assert.ok(config.defaultTenants.every((to) => found.includes(to)))
      }
    }),
    { numRuns: 3000 },
  )
})

/** By another method than that of the code. */
function nameIn(text: string, { pattern, prefix }: RoutingConfig): string | undefined {
  const found = pattern === undefined ? text : text.startsWith("team-") ? text.slice(5) : ""
  return found === "" ? undefined : prefix + found
}
