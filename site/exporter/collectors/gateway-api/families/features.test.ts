import assert from "node:assert/strict"
import { test } from "node:test"
import { samplesAs } from "../render.testing.ts"

test("features are exported by name, whether the CRD has them as texts or as objects", () => {
  const supportedFeatures = ["HTTPRoute", { name: "GRPCRoute" }, { name: "GRPCRoute" }, {}, null, ""]
  const object = { metadata: { name: "c" }, status: { supportedFeatures } }
  assert.deepEqual(samplesAs("GatewayClass", object, /_supported_features$/), [
    'gatewayapi_gatewayclass_status_supported_features{features="GRPCRoute",name="c"} 1',
    'gatewayapi_gatewayclass_status_supported_features{features="HTTPRoute",name="c"} 1',
  ])
})

test("the lag of a DNS record is one, of the generation that its status is about", () => {
  const conditions = [{ type: "Ready", status: "True", observedGeneration: 1 }]
  const object = { metadata: { name: "r", generation: 3 }, status: { observedGeneration: 2, conditions } }
  assert.deepEqual(samplesAs("DNSRecord", object, /_lag$/), [
    'kuadrant_dnsrecord_status_observed_generation_lag{name="r"} 1',
  ])
})
