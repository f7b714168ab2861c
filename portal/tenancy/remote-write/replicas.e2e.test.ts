import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { COMPLETE } from "../../../dev/testing/cortex.ts"
import { findPrometheus } from "../../../dev/testing/prometheus.ts"
import { keyOf } from "../../../dev/testing/remote-write/elements.ts"
import { readAll } from "../../../dev/testing/remote-write/read-back.ts"
import { startSender } from "../../../dev/testing/remote-write/sender.ts"
import { bodyOf, HEADERS, write, type WrittenSample } from "../../../dev/testing/remote-write/write.ts"
import { until } from "../../../dev/testing/until.ts"
import { startChain } from "./chain.testing.ts"
import { first, isSuccess } from "./read-back.testing.ts"
import { scrapes, STRIP } from "./scene.testing.ts"

const REPLICA = "__replica__"
const TENANTS = ["red", "blue"]
const HA = { ...COMPLETE, accept_ha_samples: true }
/** Of a Cortex that takes the samples of one replica of a cluster, and answers 202 to the others. */
const CORTEX = {
  limits: Object.fromEntries(TENANTS.map((tenant) => [tenant, HA])),
  flags: [
    "-distributor.ha-tracker.enable=true",
    "-distributor.ha-tracker.store=memberlist",
    "-memberlist.bind-addr=127.0.0.1",
    "-memberlist.bind-port=0",
  ],
}

suite("of two replicas", { concurrency: true }, () => {
  for (const version of [1, 2] as const) {
    test(`Cortex keeps one for each tenant, and both are done, by remote write ${version}`, async (t) => {
      const folder = need(t, findPrometheus("3.5"))
      const chain = folder === undefined ? undefined : await startChain(t, { ...CORTEX, proxyFlags: STRIP })
      if (folder === undefined || chain === undefined) return
      const senders = await Promise.all(
        ["one", "two"].map((replica) =>
          startSender(t, folder, {
            url: chain.url,
            version,
            tenants: TENANTS,
            externalLabels: { cluster: "prod", [REPLICA]: replica },
          }),
        ),
      )
      await Promise.all(senders.map((sender) => until("10 scrapes", scrapes(sender, 10))))
      await Promise.all(senders.map((sender) => sender.finish()))

      const statuses = new Set(chain.received.requests.map(({ status }) => status))
      assert.deepEqual([...statuses], [204])
      for (const name of ["failed", "dropped"])
        for (const sender of senders)
          assert.equal(await sender.metric(`prometheus_remote_storage_samples_${name}_total`), 0)
      for (const tenant of TENANTS) {
        const replicas: readonly (string | undefined)[] = chain.forwarded.requests
          .filter((request) => request.tenant === tenant && (request.status === 200 || request.status === 204))
          .flatMap((request) => request.elements())
          .filter(({ kind }) => kind !== "metadata")
          .map(({ labels }) => labels[REPLICA])
        const [elected, ...others] = new Set(replicas)
        assert.ok(elected !== undefined)
        assert.deepEqual(others, [])
        const sent: readonly string[] = chain.received.requests
          .filter(isSuccess)
          .flatMap((request) => request.elements())
          .filter(({ kind, labels }) => kind !== "metadata" && kind !== "exemplar" && labels.tenant_id === tenant)
          .filter(({ labels }) => labels[REPLICA] === elected)
          .map(({ labels: { tenant_id: _tenant, [REPLICA]: _replica, ...labels }, ...element }) =>
            keyOf({ ...element, labels }),
          )
        const stored: readonly string[] = (await readAll(`${chain.cortex.url}/prometheus`, tenant)).map(keyOf)
        assert.deepEqual(first(new Set(stored).symmetricDifference(new Set(sent))), [])
      }
    })

    test(`those that come in one request of remote write ${version} are told apart`, async (t) => {
      const chain = await startChain(t, { ...CORTEX, proxyFlags: STRIP })
      if (chain === undefined) return
      const now = Date.now()
      const sample = (tenant: string, name: string, replica: string): WrittenSample => ({
        labels: { __name__: name, cluster: "prod", [REPLICA]: replica, tenant_id: tenant },
        value: 1,
        timestamp: now,
      })
      const send = (...samples: readonly WrittenSample[]) =>
        write(chain.url, bodyOf(samples, version), HEADERS[version])
      // which of the two Cortex elects
      for (const tenant of TENANTS) assert.equal((await send(sample(tenant, "first", "one"))).status, 204)
      const mixed = await send(
        ...TENANTS.flatMap((tenant) => [
          sample(tenant, "b", "two"),
          sample(tenant, "a", "one"),
          sample(tenant, "c", "two"),
        ]),
      )
      assert.equal(mixed.status, 204)
      if (version === 2) assert.equal(mixed.headers.get("x-prometheus-remote-write-samples-written"), "6")
      for (const tenant of TENANTS) {
        const stored: unknown = (await readAll(`${chain.cortex.url}/prometheus`, tenant)).map(({ labels }) => labels)
        assert.deepEqual(
          stored,
          ["a", "first"].map((name) => ({ __name__: name, cluster: "prod" })),
        )
      }
    })
  }
})
