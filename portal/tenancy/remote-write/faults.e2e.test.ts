import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { COMPLETE } from "../../../dev/testing/cortex.ts"
import { keyOf } from "../../../dev/testing/remote-write/elements.ts"
import { startLoad } from "../../../dev/testing/remote-write/load.ts"
import type { Recorded } from "../../../dev/testing/remote-write/recorder.ts"
import { bodyOf, HEADERS, write } from "../../../dev/testing/remote-write/write.ts"
import { until } from "../../../dev/testing/until.ts"
import { startChain } from "./chain.testing.ts"
import { balance, first, isSuccess } from "./read-back.testing.ts"
import { finished, LIMITS, nothingIsLost, scrapes, SENDERS, startScene, STRIP, TENANTS } from "./scene.testing.ts"

for (const [prometheus, version] of SENDERS) {
  // most of the time of each is waited: Prometheus begins to scrape after 5 s
  suite(`of what Prometheus ${prometheus} writes by remote write ${version}`, { concurrency: true }, () => {
    for (const workers of [1, 2])
      test(`nothing is lost while one tenant is limited, and nothing is written twice for the others, with --workers=${workers}`, async (t) => {
        const limited = { ...COMPLETE, ingestion_rate: 40, ingestion_burst_size: 100 }
        const running = await startScene(
          t,
          [prometheus, version],
          { limits: { ...LIMITS, limited }, proxyFlags: [...STRIP, `--workers=${workers}`] },
          // a request with nothing else passes, with its metadata, which counts too
          { mostSamples: 40 },
        )
        if (running === undefined) return
        const { chain, sender } = running
        await until("a request to be refused", () => chain.forwarded.requests.some(({ status }) => status === 429))
        await until("10 scrapes more", scrapes(sender, 10))
        await finished(running, "acknowledged")
        const { duplicates } = await nothingIsLost(t, chain)
        assert.equal(duplicates, 0)
        const refused = chain.forwarded.requests.filter(({ status }) => status === 429)
        assert.deepEqual([...new Set(refused.map(({ tenant }) => tenant))], ["limited"])
      })

    test("all is stored but the samples out of order, and the sender counts nothing of other tenants as failed", async (t) => {
      const running = await startScene(t, [prometheus, version])
      if (running === undefined) return
      const { chain, sender } = running
      const labels = { __name__: "test_gauge", instance: "test", job: "test", number: "0" }
      const later = bodyOf([{ labels, value: 1, timestamp: Date.now() + 120_000 }])
      const stored = await write(`${chain.cortex.url}/api/v1/push`, later, {
        ...HEADERS[1],
        "x-scope-orgid": "red",
      })
      assert.equal(stored.status, 200)
      await until("10 scrapes", scrapes(sender, 10))
      await finished(running, "final")
      const { missing, lost } = await balance(chain)
      const isGuilty = (key: string): boolean => key.startsWith(`red sample ${JSON.stringify(labels)}`)
      assert.deepEqual(first(missing.filter((key) => !isGuilty(key))), [])
      assert.deepEqual(lost, [])
      assert.ok(missing.length >= 10)
      // of what Cortex refuses it does not say how much it has stored, so all of the tenant's part counts
      const refused = chain.forwarded.requests.filter(({ status }) => status === 400)
      assert.deepEqual([...new Set(refused.map(({ tenant }) => tenant))], ["red"])
      const samples = (requests: readonly Recorded[]): ReadonlySet<string> =>
        new Set(
          requests
            .filter(({ tenant }) => tenant === "red")
            .flatMap((request) => request.elements())
            .filter(({ kind }) => kind === "sample")
            .map(keyOf),
        )
      // what shared a refused request with others was sent again alone
      const expected = samples(refused).difference(samples(chain.forwarded.requests.filter(isSuccess)))
      const failed = await sender.metric("prometheus_remote_storage_samples_failed_total")
      if (version === 2) assert.equal(failed, expected.size)
    })

    test("nothing is lost while Cortex is stopped and started, and killed and started", async (t) => {
      const running = await startScene(t, [prometheus, version])
      if (running === undefined) return
      const { chain, sender } = running
      await until("5 scrapes", scrapes(sender, 5))
      for (const end of [() => chain.cortex.stop(), () => chain.cortex.kill()]) {
        await end()
        await until("5 scrapes without Cortex", scrapes(sender, 5))
        await chain.cortex.start()
        await until("3 scrapes with Cortex", scrapes(sender, 3))
      }
      await finished(running, "final")
      const { missing } = await nothingIsLost(t, chain)
      assert.deepEqual(first(missing), [])
    })

    test("nothing is lost while Cortex responds to nothing", async (t) => {
      const proxyFlags = [...STRIP, "--upstream.timeout=1s"]
      const running = await startScene(t, [prometheus, version], { proxyFlags })
      if (running === undefined) return
      const { chain, sender } = running
      for (let times = 0; times < 2; times += 1) {
        await until("3 scrapes", scrapes(sender, 3))
        chain.cortex.suspend()
        const isRefused = ({ status }: Recorded): boolean => status >= 500
        const before = chain.received.requests.filter(isRefused).length
        await until("requests to be refused", () => chain.received.requests.filter(isRefused).length > before)
        chain.cortex.resume()
      }
      await finished(running, "final")
      const { missing } = await nothingIsLost(t, chain)
      assert.deepEqual(first(missing), [])
    })

    test("nothing is lost while the proxy is killed and started again", async (t) => {
      const running = await startScene(t, [prometheus, version])
      if (running === undefined) return
      const { chain, sender } = running
      for (let times = 0; times < 3; times += 1) {
        await until("3 scrapes", scrapes(sender, 3))
        assert.equal(await chain.proxy.stop("SIGKILL"), "SIGKILL")
        await until("2 scrapes without the proxy", scrapes(sender, 2))
        await chain.proxy.start()
      }
      await finished(running, "final")
      const { missing } = await nothingIsLost(t, chain)
      assert.deepEqual(first(missing), [])
    })
  })
}

suite("under load", () => {
  const cases = (["SIGTERM", "SIGKILL"] as const).flatMap((signal) => [1, 2].map((workers) => ({ signal, workers })))
  for (const { signal, workers } of cases) {
    test(`no acknowledged sample is lost by ${signal} of the proxy with ${workers} ${workers === 1 ? "process" : "workers"}`, async (t) => {
      const chain = await startChain(t, { proxyFlags: [...STRIP, `--workers=${workers}`] })
      if (chain === undefined) return
      const load = startLoad({
        url: chain.url,
        writers: 16,
        tenants: () => TENANTS,
        version: (writer) => (writer % 2 === 0 ? 1 : 2),
      })
      for (let times = 0; times < 3; times += 1) {
        const enough = load.acknowledged() + 100
        await until("100 requests to be acknowledged", () => load.acknowledged() >= enough)
        assert.equal(await chain.proxy.stop(signal), signal === "SIGTERM" ? 0 : signal)
        await chain.proxy.start()
      }
      await load.stop()
      const { duplicates } = await nothingIsLost(t, chain)
      // what is in flight is answered before it ends, so nothing of it comes again
      if (signal === "SIGTERM") assert.equal(duplicates, 0)
    })
  }
})
