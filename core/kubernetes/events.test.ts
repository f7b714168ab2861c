import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { createLogger } from "#core/log/logger.ts"
import { until } from "../../dev/testing/until.ts"
import { recordEvents } from "./events.ts"
import type { Resource } from "./resource.ts"
import { fakeApi, type FakeResponse } from "./testing.ts"

const THINGS: Resource = { group: "example.org", version: "v1", plural: "things", kind: "Thing" }
const thing = { metadata: { name: "a", namespace: "test", uid: "u", resourceVersion: "7" } }
const details = { type: "Warning", reason: "Broken", action: "Repair", note: "it is broken" } as const
const events = "/apis/events.k8s.io/v1/namespaces/test/events"
const TIME = new Date("2026-01-02T03:04:05.678Z")

async function record(t: TestContext, responses: readonly FakeResponse[]) {
  const { api, received } = await fakeApi(t, responses)
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "test", (line) => lines.push(line))
  const recorder = recordEvents(api, { controller: "example.org/test", instance: "pod-1", log, now: () => TIME })
  t.after(() => recorder.close())
  const requests = (count: number) =>
    until(`${count} requests`, () => (received.length === count ? received : undefined), 5)
  return { recorder, received, requests, lines }
}

const nameIn = (body: unknown): string => (body as { metadata: { name: string } }).metadata.name

test("writes an Event, and its repetitions as a count on it", async (t) => {
  const { recorder, requests } = await record(t, [{ body: {} }, { body: {} }])
  recorder.record(THINGS, thing, details)
  const [created] = await requests(1)
  recorder.record(THINGS, thing, details)
  const [, patched] = await requests(2)
  const name = nameIn(created?.body)
  assert.match(name, /^a\.[\da-f]{16}$/)
  assert.deepEqual(created, {
    request: `POST ${events}`,
    contentType: "application/json",
    body: {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name, namespace: "test" },
      eventTime: "2026-01-02T03:04:05.678000Z",
      reportingController: "example.org/test",
      reportingInstance: "pod-1",
      regarding: {
        apiVersion: "example.org/v1",
        kind: "Thing",
        name: "a",
        namespace: "test",
        uid: "u",
        resourceVersion: "7",
      },
      ...details,
    },
  })
  assert.deepEqual(patched, {
    request: `PATCH ${events}/${name}`,
    contentType: "application/merge-patch+json",
    body: { series: { count: 2, lastObservedTime: "2026-01-02T03:04:05.678000Z" } },
  })
})

test("many repetitions at once are one request, other notes and objects are other Events", async (t) => {
  const { recorder, received } = await record(t, [{ body: {} }])
  for (let count = 0; count < 10; count++) recorder.record(THINGS, thing, details)
  recorder.record(THINGS, thing, { ...details, note: "in another way" })
  recorder.record(THINGS, { metadata: { name: "realm", uid: "v" } }, details)
  await recorder.close()
  assert.deepEqual(
    received.map(({ request, body }) => [request, (body as { series?: { count: number } }).series?.count]),
    [
      [`POST ${events}`, 10],
      [`POST ${events}`, undefined],
      ["POST /apis/events.k8s.io/v1/namespaces/default/events", undefined],
    ],
  )
})

test("an Event that the API no longer keeps is written anew, with all occurrences", async (t) => {
  const gone = { status: 404, body: { reason: "NotFound", message: "gone", details: { name: "a.1" } } }
  const { recorder, requests } = await record(t, [{ body: {} }, gone, { body: {} }])
  recorder.record(THINGS, thing, details)
  const [first] = await requests(1)
  recorder.record(THINGS, thing, details)
  const [, , anew] = await requests(3)
  assert.notEqual(nameIn(anew?.body), nameIn(first?.body))
  assert.match(nameIn(anew?.body), /^a\.[\da-f]{16}$/)
})

test("an Event that is refused is logged and dropped, and the next one is written", async (t) => {
  const { recorder, received, lines } = await record(t, [{ status: 403, body: { message: "no" } }, { body: {} }])
  recorder.record(THINGS, thing, details)
  recorder.record(THINGS, { metadata: { ...thing.metadata, uid: "v" } }, details)
  await recorder.close()
  assert.equal(received.length, 2)
  assert.equal(lines.length, 1)
  assert.match(
    lines[0] ?? "",
    /writing a Kubernetes Event failed, it is dropped.*resources: \[events\], verbs: \[create\]/,
  )
})

test("cuts a long note to what the API accepts, between characters", async (t) => {
  const { recorder, requests } = await record(t, [{ body: {} }])
  recorder.record(THINGS, thing, { ...details, note: "é".repeat(600) })
  const [created] = await requests(1)
  const body = created?.body as { note: string } | undefined
  assert.equal(body?.note, "é".repeat(512))
})
