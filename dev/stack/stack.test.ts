import assert from "node:assert/strict"
import { createServer } from "node:http"
import { type TestContext, test } from "node:test"
import { listen } from "../testing/listen.ts"
import { untilFederated } from "./stack.ts"

const site = { name: "site-a", exporter: "", prometheus: "", proxy: "" }
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
  const run = { progress, signal: t.signal, processes: { log: () => Promise.resolve("the log\n") } }
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
