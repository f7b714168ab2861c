import assert from "node:assert/strict"
import { test } from "node:test"
import { KubernetesError } from "./errors.ts"
import { objectsOf, retryOnConflict } from "./objects.ts"
import type { KubernetesObject, Resource } from "./resource.ts"
import { fakeApi } from "./testing.ts"

interface Thing extends KubernetesObject {
  readonly size?: number
}
const THINGS: Resource<Thing> = { group: "example.org", version: "v1", plural: "things", kind: "Thing" }
const thing: Thing = { metadata: { name: "a/b", namespace: "test" }, size: 1 }
const path = "/apis/example.org/v1/namespaces/test/things"
const typeMeta = { apiVersion: "example.org/v1", kind: "Thing" }

test("sends each write as the API wants it", async (t) => {
  const { api, received } = await fakeApi(t, [{ body: thing }])
  const things = objectsOf(api, THINGS)
  const { signal } = t
  assert.deepEqual(await things.create(thing, signal), thing)
  await things.update(thing, signal)
  await things.update(thing, signal, { subresource: "status" })
  const merge = { type: "merge", value: { size: 2 } } as const
  await things.patch(thing.metadata, merge, signal, { subresource: "status" })
  const operations = [{ op: "remove", path: "/size" }] as const
  await things.patch(thing.metadata, { type: "json", value: operations }, signal)
  const apply = { type: "apply", value: { size: 3 }, fieldManager: "fed stack", force: true } as const
  await things.patch({ name: "cluster-wide" }, apply, signal)
  assert.equal(await things.delete(thing.metadata, signal), true)
  await things.delete(thing.metadata, signal, { uid: "u", resourceVersion: "7", propagation: "Orphan" })
  const json = "application/json"
  assert.deepEqual(received, [
    { request: `POST ${path}`, contentType: json, body: { ...typeMeta, ...thing } },
    { request: `PUT ${path}/a%2Fb`, contentType: json, body: { ...typeMeta, ...thing } },
    { request: `PUT ${path}/a%2Fb/status`, contentType: json, body: { ...typeMeta, ...thing } },
    { request: `PATCH ${path}/a%2Fb/status`, contentType: "application/merge-patch+json", body: { size: 2 } },
    { request: `PATCH ${path}/a%2Fb`, contentType: "application/json-patch+json", body: operations },
    {
      request: "PATCH /apis/example.org/v1/things/cluster-wide?fieldManager=fed+stack&force=true",
      contentType: "application/apply-patch+yaml",
      body: { ...typeMeta, size: 3 },
    },
    { request: `DELETE ${path}/a%2Fb`, contentType: json, body: { preconditions: {} } },
    {
      request: `DELETE ${path}/a%2Fb`,
      contentType: json,
      body: { preconditions: { uid: "u", resourceVersion: "7" }, propagationPolicy: "Orphan" },
    },
  ])
})

test("an object that does not exist is undefined, whatever its name, and its deletion no failure", async (t) => {
  const notFound = { status: 404, body: { reason: "NotFound", message: "not found", details: { name: "a" } } }
  const { api, received } = await fakeApi(t, [notFound, notFound])
  const things = objectsOf(api, THINGS)
  assert.equal(await things.get({ name: ".." }, t.signal), undefined)
  assert.equal(received[0]?.request, "GET /apis/example.org/v1/things/..")
  assert.equal(await things.delete({ name: "a" }, t.signal), false)
})

const about = "update things.example.org a/b in the namespace test"
for (const [status, body, expected] of [
  [
    401,
    { message: "Unauthorized" },
    `Kubernetes refused to ${about} (401): the credentials of the kubeconfig or service account are not valid. Response: Unauthorized`,
  ],
  [
    403,
    { message: "no" },
    `Kubernetes refused to ${about} (403): the account needs the rule {apiGroups: ["example.org"], resources: [things], verbs: [update]}. Response: no`,
  ],
  [
    403,
    {
      message: "no new content",
      details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] },
    },
    `Kubernetes cannot ${about} (403): its namespace is being deleted. Response: no new content`,
  ],
  [
    404,
    "404 page not found\n",
    `Kubernetes cannot ${about} (404): it does not serve this kind in this version: install its CRD, or use another version. Response: not a Status object of Kubernetes`,
  ],
  [
    404,
    { reason: "NotFound", message: "gone", details: { name: "a/b" } },
    `Kubernetes cannot ${about} (404): not found. Response: gone`,
  ],
  [
    409,
    { reason: "Conflict", message: "modified" },
    `Kubernetes cannot ${about} (409): it was changed by another client meanwhile. Response: modified`,
  ],
  [
    409,
    { reason: "AlreadyExists", message: "there" },
    `Kubernetes cannot ${about} (409): it exists already. Response: there`,
  ],
  [
    410,
    { reason: "Expired", message: "too old" },
    `Kubernetes cannot ${about} (410): the version to continue from is no longer kept. Response: too old`,
  ],
  [
    422,
    {
      reason: "Invalid",
      message: "invalid",
      details: {
        causes: [
          { field: "size", message: "must be positive" },
          { field: "spec", message: "Required value" },
        ],
      },
    },
    `Kubernetes cannot ${about} (422): the object is invalid (size: must be positive; spec: Required value). Response: invalid`,
  ],
  [500, "null", `Kubernetes cannot ${about} (500). Response: not a Status object of Kubernetes`],
  [500, "<html>", `Kubernetes cannot ${about} (500). Response: not a Status object of Kubernetes`],
] as const) {
  test(`explains: ${expected.replace(about, "…")}`, async (t) => {
    // a 401 is repeated once, with credentials that may have been rotated
    const { api } = await fakeApi(t, [
      { status, body },
      { status, body },
    ])
    const things = objectsOf(api, THINGS)
    await assert.rejects(things.update(thing, t.signal), { statusCode: status, message: expected })
  })
}

test("retries on a conflict a few times, and on nothing else", async (t) => {
  const conflict = { status: 409, body: { reason: "Conflict", message: "modified" } }
  const exists = { status: 409, body: { reason: "AlreadyExists", message: "there" } }
  const { api, received } = await fakeApi(t, [conflict, conflict, { body: thing }, exists, conflict])
  const things = objectsOf(api, THINGS)
  const attempt = () => things.update(thing, t.signal)
  assert.deepEqual(await retryOnConflict(attempt, t.signal), thing)
  assert.equal(received.length, 3)
  await assert.rejects(retryOnConflict(attempt, t.signal), /exists already/)
  assert.equal(received.length, 4)
  await assert.rejects(retryOnConflict(attempt, t.signal), (error) => error instanceof KubernetesError)
  assert.equal(received.length, 9)
})
