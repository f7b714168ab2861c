import assert from "node:assert/strict"
import { createServer } from "node:http"
import { type TestContext, test } from "node:test"
import { listen } from "../testing/listen.ts"
import { startSites, untilFederated } from "./stack.ts"

const site = { name: "site-a", exporter: "", prometheus: "", proxy: "", services: [] }
const page = (result: readonly object[], activeTargets: readonly object[] = []) =>
  JSON.stringify({ data: { result, activeTargets } })
const delivering = page([{ metric: { site: "site-a" }, value: [0, "7"] }])

/** Waits for a portal whose Prometheus gives these responses in turn, and then that the site delivers. */
async function waited(t: TestContext, responses: readonly (readonly [status: number, body: string])[]) {
  const left = responses.flatMap((one) => [one, one, one]) // three requests at a time
  const server = createServer((_, response) => {
    const [status, body] = left.shift() ?? [200, delivering]
    response.writeHead(status).end(body)
  })
  const prometheus = `http://127.0.0.1:${await listen(t, server)}`
  const updates: string[] = []
  const progress = { update: (text: string) => void updates.push(text), say: () => undefined, end: () => undefined }
  const run = { progress, interval: 1, signal: t.signal, processes: { log: () => Promise.resolve("the log\n") } }
  const statuses = await untilFederated({ sites: [site], portal: { portal: "", prometheus } }, run)
  return { statuses, updates }
}

test("a Prometheus that is not ready yet is waited for", async (t) => {
  const { statuses, updates } = await waited(t, [
    [503, "Service Unavailable"],
    [200, page([])],
  ])
  assert.deepEqual(statuses, [{ site: "site-a", series: 7, age: 7, error: undefined }])
  assert.deepEqual(updates, [
    "waiting for the portal's Prometheus: Prometheus responded 503: Service Unavailable",
    "0 of 1 sites federated, waiting for site-a",
  ])
})

/** Starts sites of which each number is a site, with what was said and how many started at the same time. */
async function startedSites(t: TestContext, { fails = [] as number[], room = Infinity, strict = false }) {
  const said: string[] = []
  let running = 0
  let most = 0
  const run = {
    progress: { update: () => undefined, say: (text: string) => void said.push(text), end: () => undefined },
    strict,
    signal: t.signal,
  }
  let left = room
  const sites = await startSites(run, { sites: 7, workers: 3, hasRoom: () => left-- > 0 }, async (index) => {
    most = Math.max(most, ++running)
    // the first one takes longest
    for (let turns = index === 0 ? 5 : 1; turns > 0; turns--) await new Promise(setImmediate)
    running -= 1
    if (fails.includes(index)) throw new Error("port in use")
    return index
  })
  return { sites, said, most }
}

test("sites are started a few at a time", async (t) => {
  assert.deepEqual(await startedSites(t, {}), { sites: [0, 1, 2, 3, 4, 5, 6], said: [], most: 3 })
})

test("a site that does not start is reported and left out", async (t) => {
  const { sites, said } = await startedSites(t, { fails: [1, 5] })
  assert.deepEqual(
    [sites, said],
    [
      [0, 2, 3, 4, 6],
      ["site-b is left out: port in use", "site-f is left out: port in use"],
    ],
  )
})

test("a site that does not start ends a strict run, and so does no site at all", async (t) => {
  await assert.rejects(startedSites(t, { fails: [1], strict: true }), { message: "port in use" })
  await assert.rejects(startedSites(t, { fails: [0, 1, 2, 3, 4, 5, 6] }), { code: "NO_SITE" })
})

test("no more sites are started when memory is nearly used up", async (t) => {
  const { sites, said } = await startedSites(t, { room: 4 })
  assert.deepEqual(sites, [0, 1, 2, 3])
  assert.deepEqual(said, ["Memory is nearly used up: 4 of 7 sites are started, and no more."])
  await assert.rejects(startedSites(t, { room: 4, strict: true }), {
    message: "Memory is nearly used up after 4 of 7 sites",
  })
})
