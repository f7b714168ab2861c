import assert from "node:assert/strict"
import { test } from "node:test"
import { startFromEndpoint, startOfMonth } from "./start-date.ts"
import { jsonServer, serverOf } from "./testing.ts"

const { signal } = new AbortController()
const now = new Date("2026-03-10T12:00:00Z")

test("the start date of an endpoint is its first one, requested until it is known", async (t) => {
  let requests = 0
  const url = await serverOf(t, (_, response) => {
    requests += 1
    if (requests === 1) response.writeHead(503).end()
    else response.end(JSON.stringify([{ start_date: "2026-01-02", note: "" }, { start_date: "2020-01-01" }]))
  })
  const start = startFromEndpoint({ url, timeout: 5 })
  await assert.rejects(start(now, signal), {
    message: `The start date is not known yet: ${url.href} responded with 503, not 200`,
  })
  assert.deepEqual(await start(now, signal), new Date("2026-01-02"))
  assert.deepEqual(await start(now, signal), new Date("2026-01-02"))
  assert.equal(requests, 2)
})

test("reports what is wrong with the start date of an endpoint", async (t) => {
  const messageOf = async (value: unknown): Promise<string> => {
    const start = startFromEndpoint({ url: await jsonServer(t, value), timeout: 5 })
    return start(now, signal).then(String, (error: Error) => error.message.replace(/http\S+/, "URL"))
  }
  const wrong = "The start date is not known yet: URL responded with something else than expected:"
  assert.equal(await messageOf([]), `${wrong} the whole: must have an entry`)
  assert.equal(
    await messageOf([{ start_date: "soon" }]),
    `${wrong} 0.start_date: must be a date such as 2025-01-31 or 2025-01-31T08:00:00 (UTC)`,
  )
  assert.equal(await messageOf([{}]), `${wrong} 0.start_date: must be a text`)
  assert.equal(
    await messageOf([{ start_date: "2026-03-11" }]),
    "The start date 2026-03-11T00:00:00.000Z is in the future",
  )
})

test("without a start date it is the first of the month, in UTC", async () => {
  assert.deepEqual(await startOfMonth(now, signal), new Date("2026-03-01T00:00:00Z"))
  assert.deepEqual(await startOfMonth(new Date("2026-04-01T00:00:00Z"), signal), new Date("2026-04-01T00:00:00Z"))
})
