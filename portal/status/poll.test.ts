import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { openPoll, silenceOf } from "./poll.ts"
import { prometheusApi } from "./prometheus-api.ts"
import { type FakePrometheus, fakePrometheus } from "./testing.ts"

const never = new AbortController().signal

/** Polls at these seconds, for the targets of these sites; what is requested each time. */
async function requests(
  t: TestContext,
  turns: readonly (readonly [at: number, targets: readonly string[], settledAt?: number])[],
  respond?: FakePrometheus["respond"],
): Promise<readonly string[]> {
  const fake = await fakePrometheus(t)
  fake.respond = respond
  let clock = 0
  const poll = openPoll(prometheusApi(fake.server), () => clock)
  const seen: string[] = []
  for (const [at, targets, settledAt = Infinity] of turns) {
    clock = at
    fake.requests.length = 0
    await poll.poll({ window: 10, isSite: () => true, targets, settledAt }, never)
    seen.push(fake.requests.map((path) => path.replace("/api/v1/", "")).join(", "))
  }
  return seen
}

test("reads all targets at first and every minute, and the jobs every half minute", async (t) => {
  assert.deepEqual(
    await requests(t, [
      [0, []],
      [1, []],
      [30, []],
      [59, []],
      [60, []],
    ]),
    ["query, targets, scrape_pools", "query", "query, scrape_pools", "query", "query, targets, scrape_pools"],
  )
})

test("reads the targets of a few sites one by one, those of many at once, and none twice within 2 s", async (t) => {
  const many = ["a", "b", "c", "d", "e", "f"]
  assert.deepEqual(
    await requests(t, [
      [0, []],
      [1, ["a"]],
      [2, ["a", "b"]],
      [3.9, ["a"]],
      [4, many],
    ]),
    ["query, targets, scrape_pools", "query", "query, targets a, targets b", "query", "query, targets"],
  )
})

test("reads the jobs when those of a new configuration must be there", async (t) => {
  assert.deepEqual(
    await requests(t, [
      [0, []],
      [5, [], 15],
      [15, [], 15],
      [16, [], 15],
    ]),
    ["query, targets, scrape_pools", "query", "query, scrape_pools", "query"],
  )
})

test("goes on without queries where there are none, and tries them again after a minute", async (t) => {
  const agent: FakePrometheus["respond"] = (path, response) =>
    path === "/api/v1/query" &&
    response.writeHead(422).end('{"status":"error","error":"unavailable with Prometheus Agent"}') !== undefined
  assert.deepEqual(
    await requests(
      t,
      [
        [0, []],
        [1, []],
        [2, []],
        [61, []],
      ],
      agent,
    ),
    ["query, targets, scrape_pools", "", "targets", "query, targets, scrape_pools"],
  )
})

test("distinguishes a Prometheus that starts from one whose query took too long", async (t) => {
  const failing = (body: string): Promise<unknown> =>
    requests(t, [[0, []]], (_, response) => response.writeHead(503).end(body) !== undefined).catch(
      (error: unknown) => error,
    )
  assert.deepEqual(silenceOf(await failing("Service Unavailable")), {
    reason: "/api/v1/query responds with 503",
    starting: true,
  })
  assert.deepEqual(silenceOf(await failing('{"status":"error","error":"query timed out\\n\\u001b[2J"}')), {
    reason: "/api/v1/query responds with 503: query timed out [2J",
    starting: false,
  })
})
