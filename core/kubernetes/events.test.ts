import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { Registry } from "prom-client"
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
  const registry = new Registry()
  const about = { controller: "example.org/test", instance: "pod-1", now: () => TIME }
  const recorder = recordEvents(api, { ...about, log, registry })
  t.after(() => recorder.close())
  const requests = (count: number) =>
    until(`${count} requests`, () => (received.length === count ? received : undefined))
  const dropped = async () => (await registry.metrics()).match(/^fedstack_kubernetes_events_dropped_total.*/gm)
  return { recorder, received, requests, lines, dropped }
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

test("an Event of an object with a long name has a name that Kubernetes takes, wherever it is cut", async (t) => {
  const { recorder, requests } = await record(t, [{ body: {} }])
  const names = [`${"a".repeat(199)}.${"b".repeat(53)}`, `${"a".repeat(197)}--.${"b".repeat(53)}`, "a".repeat(253)]
  for (const name of names) recorder.record(THINGS, { metadata: { ...thing.metadata, name, uid: name } }, details)
  const written = (await requests(3)).map(({ body }) => nameIn(body))
  for (const name of written) assert.match(name, /^[a-z0-9]+(?:[-.]+[a-z0-9]+)*\.[\da-f]{16}$/)
  for (const name of written) assert.doesNotMatch(name, /[-.]\.|.{254}/)
})

test("an Event that is refused is logged and dropped, and the next one is written", async (t) => {
  const { recorder, received, lines, dropped } = await record(t, [
    { status: 403, body: { message: "no" } },
    { body: {} },
  ])
  recorder.record(THINGS, thing, details)
  recorder.record(THINGS, { metadata: { ...thing.metadata, uid: "v" } }, details)
  await recorder.close()
  assert.equal(received.length, 2)
  assert.equal(lines.length, 1)
  assert.match(
    lines[0] ?? "",
    /writing a Kubernetes Event failed, it is dropped.*resources: \[events\], verbs: \[create\]/,
  )
  assert.deepEqual(await dropped(), [
    'fedstack_kubernetes_events_dropped_total{reason="refused"} 1',
    'fedstack_kubernetes_events_dropped_total{reason="queue_full"} 0',
  ])
})

test("of more Events than may wait the last ones are dropped, counted and logged once, and repetitions are not", async (t) => {
  const { recorder, requests, lines, dropped } = await record(t, [{ body: {} }])
  const recordOne = (note: string): void => recorder.record(THINGS, thing, { ...details, note })
  for (let count = 0; count < 1005; count++) recordOne(`note ${count}`)
  recordOne("note 999")
  const messages = () => lines.map((line) => line.replace(/^.*?(?=level)/, ""))
  assert.deepEqual(messages(), [
    'level=warn component=test msg="too many Kubernetes Events wait to be written, dropping new ones" waiting=1000\n',
  ])
  assert.deepEqual(await dropped(), [
    'fedstack_kubernetes_events_dropped_total{reason="refused"} 0',
    'fedstack_kubernetes_events_dropped_total{reason="queue_full"} 5',
  ])
  const written = await requests(1000)
  const last = written[999]?.body as { note: string; series: { count: number } } | undefined
  assert.deepEqual([last?.note, last?.series.count], ["note 999", 2])
  await until("the queue to be empty", () => lines.length > 1)
  assert.match(messages()[1] ?? "", /msg="Kubernetes Events are written again"/)
  recordOne("note 1004")
  await requests(1001)
})

test("cuts a long note to what the API accepts, between characters", async (t) => {
  const { recorder, requests } = await record(t, [{ body: {} }])
  recorder.record(THINGS, thing, { ...details, note: "é".repeat(600) })
  const [created] = await requests(1)
  const body = created?.body as { note: string } | undefined
  assert.equal(body?.note, "é".repeat(512))
})
