import assert from "node:assert/strict"
import { test } from "node:test"
import { fakeCluster } from "./cluster.testing.ts"
import { KINDS } from "./kinds/all.ts"
import { discoverTargets } from "./targets.ts"

const GROUP = "gateway.networking.k8s.io"

test("v1 is read where it is served, whatever the group prefers, and else the newest", async (t) => {
  const { api } = await fakeCluster(t, {
    [GROUP]: { v2: ["gateways"], v1: ["gateways", "httproutes"], v1alpha3: ["tlsroutes"], v1alpha2: ["tlsroutes"] },
  })
  const targets = await discoverTargets(api, KINDS, GROUP, t.signal)
  assert.deepEqual(
    targets.flatMap(({ kind, resource }) => (resource === undefined ? [] : [`${kind.kind} ${resource.version}`])),
    ["Gateway v1", "HTTPRoute v1", "TLSRoute v1alpha3"],
  )
})
