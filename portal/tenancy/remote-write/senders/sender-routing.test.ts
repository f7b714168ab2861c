import assert from "node:assert/strict"
import test from "node:test"
import type { TenantId } from "../../tenants/tenant.ts"
import { createRouting } from "../routing/create-routing.ts"
import type { RoutingConfig } from "../routing/routing-config.ts"
import { routingFor } from "./sender-routing.ts"
import type { Sender } from "./sender.ts"

const id = (name: string) => name as TenantId

const CONFIG: RoutingConfig = {
  ...{ tenantLabels: ["tenant_id"], groupLabels: ["cluster"], mostTenants: 10, labelMode: "all", pattern: undefined },
  ...{ prefix: "", strip: true, defaultTenants: [id("0")], fullReplication: false, unknownTenants: "ignore" },
}
const routing = createRouting(CONFIG, undefined)

const senderOf = (given: Partial<Sender>): Sender => ({
  ...{ name: "site-a", tenant: undefined, tenants: undefined, rules: undefined, paused: undefined, where: "" },
  limits: {
    concurrent: Infinity,
    requestsPerSecond: Infinity,
    bytesInFlight: Infinity,
    samplesPerSecond: Infinity,
  },
  ...given,
})

test("a sender without tenants of its own is routed as all are", () => {
  assert.equal(routingFor(routing, senderOf({})), routing)
})

test("a sender with a tenant writes for this one alone, whatever its labels are, and none is left out", () => {
  const own = routingFor(routing, senderOf({ tenant: id("a") }))
  assert.deepEqual([own.tenantLabels, own.groupLabels, own.mostTenants], [[], ["cluster"], 10])
  assert.deepEqual(own.route([]), { destinations: [{ tenant: "a", strip: undefined }], byDefault: false })
})

test("a sender with several tenants writes for these only, not for the default ones by themselves", () => {
  const own = routingFor(routing, senderOf({ tenants: new Set([id("a"), id("b")]) }))
  assert.deepEqual(own.route(["a"]), { destinations: [{ tenant: "a", strip: 0 }], byDefault: false })
  assert.deepEqual(own.route(["c"]), { refused: 'site-a may not write for the tenant "c"', tenant: "c" })
  assert.deepEqual(own.route([undefined]), {
    refused: 'no label names an accepted tenant (tenant_id), and site-a may not write for the default tenant "0"',
    tenant: "0",
  })
})

test("a sender whose tenant is not in the allow list learns that, not that no label names one", () => {
  const listed = createRouting(CONFIG, new Set([id("a")]))
  const own = routingFor(listed, senderOf({ tenants: new Set([id("a"), id("b")]) }))
  assert.deepEqual(own.route(["b"]), {
    refused:
      'the tenant "b" in the label tenant_id is not in the allow list, and site-a may not write for the default tenant "0"',
    tenant: "0",
  })
})

test("what goes to several tenants goes to all of them or nowhere", () => {
  const several = createRouting({ ...CONFIG, tenantLabels: ["tenant_id", "team"] }, undefined)
  const own = routingFor(several, senderOf({ tenants: new Set([id("a")]) }))
  assert.deepEqual(own.route(["a", "b"]), { refused: 'site-a may not write for the tenant "b"', tenant: "b" })
})

test("full replication adds the default tenants to what a sender may write, and to nothing else", () => {
  const config = { ...CONFIG, fullReplication: true, defaultTenants: [id("0"), id("all")], tenantLabels: ["x", "y"] }
  const own = routingFor(createRouting(config, undefined), senderOf({ tenants: new Set([id("a")]) }))
  assert.deepEqual(own.route(["a", undefined]), {
    destinations: [
      { tenant: "a", strip: 0 },
      { tenant: "0", strip: undefined, replica: true },
      { tenant: "all", strip: undefined, replica: true },
    ],
    byDefault: false,
  })
  // in a default tenant it could be a series of others
  assert.deepEqual(own.route([undefined, undefined]), {
    refused: 'no label names an accepted tenant (x, y), and site-a may not write for the default tenant "0"',
    tenant: "0",
  })
  for (const named of [
    ["0", undefined],
    ["a", "0"],
  ])
    assert.deepEqual(own.route(named), { refused: 'site-a may not write for the tenant "0"', tenant: "0" })
})

test("is the same routing each time, and another one after another allow list", () => {
  const sender = senderOf({ tenant: id("a") })
  assert.equal(routingFor(routing, sender), routingFor(routing, sender))
  assert.notEqual(routingFor(routing, sender), routingFor(createRouting(CONFIG, undefined), sender))
  assert.notEqual(routingFor(routing, sender), routingFor(routing, senderOf({ tenant: id("b") })))
})
