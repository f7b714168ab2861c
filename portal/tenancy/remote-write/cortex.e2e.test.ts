import assert from "node:assert/strict"
import { suite, test } from "node:test"
import type { Element } from "../../../dev/testing/remote-write/elements.ts"
import { until } from "../../../dev/testing/until.ts"
import type { Chain } from "./chain.testing.ts"
import { balance, isSuccess, lacksSeries } from "./read-back.testing.ts"
import { finished, scrapes, startScene, TENANTS } from "./scene.testing.ts"

/** Flags of the proxy. */
const [STRIP, ALONE, TWO] = ["--strip-tenant-label", "--disable-full-replication", "--workers=2"]

const CASES: readonly {
  readonly sender: readonly ["2.53" | "3.5", 1 | 2]
  readonly proxyFlags: readonly string[]
}[] = [
  { sender: ["2.53", 1], proxyFlags: [STRIP, ALONE] },
  { sender: ["3.5", 1], proxyFlags: [] },
  { sender: ["3.5", 1], proxyFlags: [STRIP, ALONE, TWO] },
  { sender: ["3.5", 2], proxyFlags: [STRIP, ALONE] },
  { sender: ["3.5", 2], proxyFlags: [STRIP, TWO] },
]

// most of the time of each is waited: Prometheus begins to scrape after 5 s
suite("what each tenant reads back from Cortex equals what was sent for it", { concurrency: true }, () => {
  for (const {
    sender: [prometheus, version],
    proxyFlags,
  } of CASES) {
    test(`by Prometheus ${prometheus} with remote write ${version}, with ${proxyFlags.join(" ") || "the original's defaults"}`, async (t) => {
      const running = await startScene(t, [prometheus, version], { proxyFlags })
      if (running === undefined) return
      const { chain, sender } = running
      await until("10 scrapes", scrapes(sender, 10))
      // with remote write 1 it comes once a second, in requests of its own
      await until("metadata of all tenants", () => tenantsWithMetadata(chain).size === TENANTS.length)
      const routing = { strips: proxyFlags.includes(STRIP), replicates: !proxyFlags.includes(ALONE) }
      await finished(running, "acknowledged", routing)

      const isExcused = lacksSeries(chain, routing)
      const failed = chain.received.requests.filter((request) => !isSuccess(request) && !isExcused(request))
      assert.deepEqual(
        failed.map(({ status, response }) => `${status} ${response.text}`),
        [],
      )
      const { lost, foreign, duplicates, stored } = await balance(chain, routing)
      assert.deepEqual({ lost, foreign, duplicates }, { lost: [], foreign: [], duplicates: 0 })
      assert.deepEqual([...stored.keys()], ["0", ...TENANTS.slice(1)].toSorted())
      // exemplars, too, of which Prometheus sends those of remote write 2 in series of their own
      for (const [tenant, { samples, histograms, exemplars }] of stored) {
        const least = Math.min(samples, histograms, exemplars)
        assert.ok(least >= 10, JSON.stringify({ tenant, samples, histograms, exemplars }))
        const metric = "test_requests_total"
        const metadata = { [metric]: [{ type: "counter", help: "Counts rounds.", unit: "" }] }
        assert.deepEqual(await chain.cortex.get(tenant, "metadata", { metric }), metadata)
        if (version === 2) assert.equal(await medianOf(chain, tenant), "0.5")
      }
    })
  }
})

const tenantsWithMetadata = ({ forwarded }: Chain): ReadonlySet<string> => {
  const isIt = ({ kind, labels: { __name__: name } }: Element) => kind === "metadata" && name === "test_requests_total"
  const having = forwarded.requests.filter((request) => isSuccess(request) && request.elements().some(isIt))
  return new Set(having.map(({ tenant }) => tenant))
}

/** Of a histogram with custom buckets: half of what it counts is below the first bound. */
async function medianOf({ cortex, received }: Chain, tenant: string): Promise<string | undefined> {
  const times = received.requests
    .flatMap((request) => request.elements())
    .filter(({ kind, labels: { __name__: name } }) => kind === "histogram" && name === "test_bucketed_seconds")
    .map(({ timestamp }) => timestamp)
  const query = "histogram_quantile(0.5, sum(test_bucketed_seconds))"
  const time = String(Math.min(...times) / 1000)
  const { result } = (await cortex.get(tenant, "query", { query, time })) as {
    result: readonly { value: readonly [number, string] }[]
  }
  return result[0]?.value[1]
}
