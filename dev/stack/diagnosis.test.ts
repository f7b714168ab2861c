import assert from "node:assert/strict"
import { createServer } from "node:http"
import { type TestContext, test } from "node:test"
import { listen } from "../testing/listen.ts"
import { untilDiagnosed } from "./diagnosis.ts"

const site = (name: string, cause: string | null) => ({
  name,
  state: cause === null ? "waiting" : "down",
  cause,
  reason: cause && `The reason of ${name}.`,
  todo: cause && "What to do.",
})
const WANTED = [
  { name: "broken-a", cause: "tls_expired" },
  { name: "broken-b", cause: "forbidden" },
]

/** Waits for a portal that gives these responses in turn, the last one again and again. */
async function waited(
  t: TestContext,
  responses: readonly (readonly [status: number, sites: readonly object[]])[],
  now?: () => number,
) {
  const left = [...responses]
  const checked: unknown[] = []
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      checked.push(request.url)
      return response.writeHead(429).end()
    }
    assert.equal(request.url, "/api/v1/sites")
    const [status, sites] = (left.length > 1 ? left.shift() : left[0]) ?? [500, []]
    return response.writeHead(status).end(JSON.stringify({ sites }))
  })
  const portal = `http://127.0.0.1:${await listen(t, server)}`
  const updates: string[] = []
  const progress = { update: (text: string) => void updates.push(text), say: () => undefined, end: () => undefined }
  return {
    text: await untilDiagnosed(portal, WANTED, { progress, interval: 1, signal: t.signal }, now),
    updates,
    checked,
  }
}

test("waits until the portal names every cause, and shows state, reason and what to do", async (t) => {
  const { text, updates } = await waited(t, [
    [503, []],
    [200, [site("site-a", null), site("broken-a", null)]],
    [200, [site("broken-a", "tls_expired"), site("broken-b", "unauthorized")]],
    [200, [site("broken-a", "tls_expired"), site("broken-b", "forbidden")]],
  ])
  assert.equal(
    text,
    `broken-a: Not delivering, tls_expired
  The reason of broken-a.
  What to do.
broken-b: Not delivering, forbidden
  The reason of broken-b.
  What to do.
`,
  )
  assert.deepEqual(updates, [
    "waiting for the diagnosis of broken-a, broken-b",
    "waiting for the diagnosis of broken-a, broken-b",
    "waiting for the diagnosis of broken-b",
  ])
})

test("sites whose cause is not shown yet are checked, as on their page", async (t) => {
  let seconds = 0
  const wrong = [200, [site("broken-a", "tls_expired"), site("broken-b", null)]] as const
  const right = [200, [site("broken-a", "tls_expired"), site("broken-b", "forbidden")]] as const
  const { checked } = await waited(t, [wrong, wrong, wrong, right], () => 1000 * ++seconds)
  assert.deepEqual(checked, ["/api/v1/sites/broken-b/check"])
})

test("what is not found in time is an error with what the portal shows in its place", async (t) => {
  let minutes = 0
  await assert.rejects(
    waited(t, [[200, [site("broken-a", "tls_expired"), site("broken-b", "unauthorized")]]], () => 67_000 * minutes++),
    {
      code: "NOT_DIAGNOSED",
      message: `The portal does not show the expected causes after 66 s:
broken-a: Not delivering, tls_expired
  The reason of broken-a.
  What to do.
broken-b: Not delivering, unauthorized (expected forbidden)
  The reason of broken-b.
  What to do.
`,
    },
  )
})
