import assert from "node:assert/strict"
import { test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { findCortex, startCortex } from "../../../dev/testing/cortex.ts"
import { bodyOf, HEADERS, write } from "../../../dev/testing/remote-write/write.ts"
import { fileOf, startTestExposition } from "./testing.ts"

/** By the tenant that meets it: a limit of Cortex, and its words. */
const LIMITS: Readonly<Record<string, readonly [limit: Readonly<Record<string, unknown>>, words: string]>> = {
  series: [{ max_fetched_series_per_query: 10 }, "the query hit the max number of series limit (limit: 10 series)"],
  chunks: [{ max_fetched_chunks_per_query: 10 }, "the query hit the max number of chunks limit (limit: 10 chunks)"],
  chunkbytes: [
    { max_fetched_chunk_bytes_per_query: 100 },
    "the query hit the aggregated chunks size limit (limit: 100 bytes)",
  ],
  data: [{ max_fetched_data_bytes_per_query: 100 }, "the query hit the aggregated data size limit (limit: 100 bytes)"],
  length: [{ max_query_length: "1s" }, "the query time range exceeds the limit (query length: 1m0s, limit: 1s)"],
}

test("reports each limit of a real Cortex in its words, and serves a tenant without data nothing", async (t) => {
  const cortex = need(t, findCortex())
  if (cortex === undefined) return
  const limits = Object.fromEntries(Object.entries(LIMITS).map(([tenant, [limit]]) => [tenant, limit]))
  const { url } = await startCortex(t, cortex, { limits })
  const timestamp = Date.now()
  const samples = Array.from({ length: 50 }, (_, i) => ({
    labels: { __name__: "m", i: String(i) },
    value: i,
    timestamp,
  }))
  for (const tenant of [...Object.keys(LIMITS), "free"]) {
    const { status, text } = await write(`${url}/api/v1/push`, bodyOf(samples), {
      ...HEADERS[1],
      "x-scope-orgid": tenant,
    })
    assert.deepEqual([status, text], [200, ""])
  }
  const served: [tenant: string, status: number, body: string][] = []
  for (const tenant of [...Object.keys(LIMITS), "nothing"]) {
    const file = fileOf([`${url}/prometheus`], "look_back: 1m\n").replace("tenants: [a]", `tenants: [${tenant}]`)
    const { get } = await startTestExposition(t, file)
    const { status, body } = await get()
    served.push([tenant, status, body])
  }
  assert.deepEqual(served, [
    ...Object.entries(LIMITS).map(([tenant, [, words]]) => [
      tenant,
      422,
      `The store of the metrics refuses this request of tenant ${tenant} (status 400): ${words}. Request less at once, or have the tenant's limits raised.\n`,
    ]),
    ["nothing", 200, ""],
  ])
  const file = fileOf([`${url}/prometheus`], "look_back: 1m\n").replace("tenants: [a]", "tenants: [free, nothing]")
  const { get } = await startTestExposition(t, file)
  const { status, body } = await get()
  assert.deepEqual([status, body.match(/^m\{.*tenant_id="free"/gm)?.length, body.includes("nothing")], [200, 50, false])
})
