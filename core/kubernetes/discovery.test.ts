import assert from "node:assert/strict"
import { test } from "node:test"
import { discoverKinds } from "./discovery.ts"
import { fakeApi } from "./testing.ts"

const resource = (name: string, kind: string) => ({ name, kind, namespaced: true })

test("finds the versions of each kind, the preferred one first, and skips what went away meanwhile", async (t) => {
  const group = {
    versions: [{ version: "v2" }, { version: "v1" }, { version: "v1beta1" }],
    preferredVersion: { version: "v1" },
  }
  const { api, received } = await fakeApi(t, [
    { body: group },
    { body: { resources: [resource("things", "Thing"), resource("things/status", "Thing")] } },
    { body: { resources: [resource("things", "Thing"), { name: "realms", kind: "Realm", namespaced: false }] } },
    { status: 404, body: "404 page not found" },
  ])
  assert.deepEqual(
    [...(await discoverKinds(api, "example.org", t.signal)).values()],
    [
      { plural: "things", kind: "Thing", namespaced: true, versions: ["v1", "v2"] },
      { plural: "realms", kind: "Realm", namespaced: false, versions: ["v2"] },
    ],
  )
  assert.deepEqual(
    received.map(({ request }) => request),
    ["", "/v1", "/v2", "/v1beta1"].map((end) => `GET /apis/example.org${end}`),
  )
})

test("a group that is not installed has no kinds", async (t) => {
  const { api } = await fakeApi(t, [{ status: 404, body: "404 page not found" }])
  assert.equal((await discoverKinds(api, "example.org", t.signal)).size, 0)
})

test("an API that cannot be read is a failure, not a group without kinds", async (t) => {
  const { api } = await fakeApi(t, [{ status: 403, body: { message: "no" } }])
  await assert.rejects(discoverKinds(api, "example.org", t.signal), {
    message: `Kubernetes refused to read which kinds it serves (/apis/example.org) (403): the account needs the rule {nonResourceURLs: ["/apis/example.org"], verbs: [get]}. Response: no`,
  })
})
