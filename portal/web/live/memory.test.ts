import assert from "node:assert/strict"
import { test } from "node:test"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { until } from "../../../dev/testing/until.ts"
import { fakeSites } from "../fake-sites.testing.ts"
import { fakeSource } from "../fake-source.testing.ts"
import { servePages } from "../testing.ts"
import { openPages } from "./pages.testing.ts"

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

const PAGES = 100
/** What a page costs: its connection and its response, and nothing of what was sent, which is 1.1 MB for all. */
const BYTES_OF_PAGE = 30_000

test("100 open pages of 1,000 sites need no more memory with each change", async (t) => {
  const source = fakeSource(fakeSites(1000), () => new Date())
  const { url, close } = await servePages(source, { now: () => new Date() })
  t.after(close)
  const { id } = (await (await fetch(`${url}/api/v1/changes`)).json()) as { id: string }

  const before = used()
  const pages = openPages(`${url}/api/v1/events?since=${id}`, PAGES)
  t.after(pages.close)
  const received = (events: number): Promise<true> =>
    until(`${events} events on all pages`, () => (pages.events() >= events ? true : undefined))
  await received(1)
  const changeAll = async (round: number): Promise<void> => {
    source.replace({ sites: source.current().sites.map((site) => ({ ...site, series: round })) })
    await received(round + 1)
  }
  await changeAll(1)
  const first = used()
  for (let round = 2; round <= 5; round++) await changeAll(round)
  assert.ok(used() - first < PAGES * BYTES_OF_PAGE, `${used() - first} bytes more after four changes of all sites`)
  assert.ok(first - before < PAGES * BYTES_OF_PAGE, `${first - before} bytes for ${PAGES} pages`)
})

/**
 * What is in use in this thread, without garbage. The first collection leaves the freeing of buffers to another thread,
 * for which the second one waits. `external` is no measure: after a collection it counts some buffers twice for a moment.
 */
function used(): number {
  collectGarbage()
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
