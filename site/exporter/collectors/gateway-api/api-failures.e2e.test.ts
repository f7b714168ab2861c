import assert from "node:assert/strict"
import { readFile } from "node:fs/promises"
import { type TestContext, test } from "node:test"
import { need } from "../../../../dev/testing/component.ts"
import { fillCluster, routeStatus, writeStatuses } from "../../../../dev/bench/gateway-api-peers/cluster.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { startGate } from "../../../../dev/testing/gate.ts"
import { findKubernetes, startKubernetes } from "../../../../dev/testing/kubernetes.ts"
import { until } from "../../../../dev/testing/until.ts"
import { readSettings } from "#core/config/read-settings.ts"
import { createLogger } from "#core/log/logger.ts"
import { createRegistry } from "#core/metrics/registry.ts"
import type { Body } from "../../body.ts"
import { exposed, objectsIn } from "./cluster.testing.ts"
import { openGatewayApi } from "./open.ts"
import { gatewayApiSettings } from "./settings.ts"

const ROUTES = 300
const UP = /^gateway_metrics_up 1$/m

test("both modes go on while a real API and its kinds come and go", { timeout: 900_000 }, async (outer) => {
  const kube = need(outer, findKubernetes())
  if (kube === undefined) return
  const kubernetes = await startKubernetes(outer, kube)
  const { kubectl, kubeconfig } = kubernetes
  await kubernetes.install("standard")
  await fillCluster(kubeconfig, ROUTES, outer.signal)
  const scraping = await start(outer, kubeconfig)
  const watching = await start(outer, kubeconfig, "--kubernetes.watch")
  const replica = await start(outer, kubeconfig, "--kubernetes.watch")

  /** Waits until all modes and replicas have read everything, and it is the same. */
  const same = (what: string, holds: (text: string) => boolean = () => true): Promise<string> =>
    until(
      what,
      async () => {
        const all = await Promise.all([scraping, watching, replica].map(({ collect }) => collect()))
        const [text = "", ...others] = await Promise.all(all.map(objectsIn))
        for (const each of all) assert.match(await exposed(each), UP)
        for (const other of others) assert.ok(other === text, "the modes differ")
        return holds(text) ? text : undefined
      },
      120,
    )
  const routesIn = (text: string): number => text.match(/^gatewayapi_httproute_created\{/gm)?.length ?? 0

  await outer.test("two replicas and scrapes give the same text, and shards all of it once", async (t) => {
    const text = await same("the same text")
    assert.equal(routesIn(text), ROUTES)
    const shards = await Promise.all(
      ["0/3", "1/3", "2/3"].map((shard, index) =>
        start(t, kubeconfig, `--shard=${shard}`, ...(index === 0 ? [] : ["--kubernetes.watch"])),
      ),
    )
    const samples = (each: string): readonly string[] => each.split("\n").filter((line) => line.startsWith("g"))
    const of = await Promise.all(shards.map(async ({ ready }) => samples(await objectsIn(await ready()))))
    assert.deepEqual(of.flat().toSorted(), samples(text).toSorted())
    assert.ok(of.every(({ length }) => length > 0))
  })

  await outer.test("every scrape is whole while objects change, and the last state is exported", async () => {
    const ending = new AbortController()
    const before = await same("the state before")
    const writing = writeStatuses(
      kubeconfig,
      ROUTES,
      1000,
      (index, round) => routeStatus(index, round % 2 === 1),
      ending.signal,
    )
    const seen = new Set<string>()
    while (seen.size < 3 * ROUTES) {
      // both values of Accepted, and that of ResolvedRefs
      for (const { collect } of [scraping, watching]) {
        const collected = await collect()
        assert.match(await exposed(collected), UP)
        const text = await objectsIn(collected)
        assert.equal(routesIn(text), ROUTES)
        for (const [line] of text.matchAll(/^gatewayapi_httproute_status_parents_conditions\{.*$/gm)) seen.add(line)
      }
    }
    ending.abort()
    assert.ok((await writing) >= ROUTES)
    const after = await same("the state after")
    assert.equal(after.length, before.length)
  })

  for (const how of [undefined, "torn"] as const) {
    await outer.test(`an API that ${how === "torn" ? "is killed" : "stops"} and starts again`, async () => {
      const before = await same("the state before")
      await kubernetes.stopApi(how)
      const outdated = await until("the problem", async () => {
        const collected = await watching.collect()
        return collected.outdated === true ? collected : undefined
      })
      assert.ok((await objectsIn(outdated)) === before)
      assert.match(await exposed(outdated), /^gateway_metrics_up 0$/m)
      const unread = await scraping.collect()
      assert.equal(await objectsIn(unread), "")
      assert.match(await exposed(unread), /^gateway_metrics_up 0$/m)
      await kubernetes.startApi()
      await kubectl(["delete", "httproute", "-n", "default", `route-00000${how === undefined ? 1 : 2}`])
      await same("the state after", (text) => routesIn(text) === routesIn(before) - 1)
    })
  }

  await outer.test("what was deleted before a compaction is no longer exported", async (t) => {
    const gate = await startGate(t, Number(new URL(kubernetes.server).port))
    const text = (await readFile(kubeconfig, "utf8")).replace(kubernetes.server, `https://127.0.0.1:${gate.port}`)
    const behind = await start(t, await temporaryFolder(t).write("kubeconfig", text), "--kubernetes.watch")
    assert.match(await objectsIn(await behind.ready()), /"route-000003"/)
    gate.shut()
    await kubectl(["delete", "httproute", "-n", "default", "route-000003"])
    await kubernetes.compact()
    await kubernetes.stopApi()
    await kubernetes.startApi()
    gate.open()
    const expected = await same("the state after")
    await until(
      "the deletion",
      async () => ((await objectsIn(await behind.collect())) === expected ? true : undefined),
      60,
    )
    assert.doesNotMatch(expected, /"route-000003"/)
  })

  await outer.test("a kind that is removed and installed again", async () => {
    const installed = (name: string, is: boolean) =>
      until(
        `${name} ${is ? "" : "not "}installed`,
        async () => {
          for (const { collect } of [scraping, watching]) {
            const text = await exposed(await collect())
            assert.match(text, UP)
            assert.match(
              text,
              new RegExp(
                `^gateway_metrics_kind_status\\{.*"${name}".*status="${is ? "listed" : "not_installed"}"\\} 1$`,
                "m",
              ),
            )
          }
          return true
        },
        120,
      )
    await installed("HTTPRoute", true)
    await kubectl(["delete", "crd", "httproutes.gateway.networking.k8s.io"])
    await installed("HTTPRoute", false)
    assert.equal(routesIn(await same("no routes")), 0)
    await kubernetes.install("standard")
    await installed("HTTPRoute", true)
    await fillCluster(kubeconfig, 5, outer.signal)
    await same("the new routes", (text) => routesIn(text) === 5)
  })

  await outer.test("an aggregated API that is not available fails alone", async () => {
    const spec = {
      group: "kuadrant.io",
      version: "v1",
      groupPriorityMinimum: 1000,
      versionPriority: 15,
      insecureSkipTLSVerify: true,
      service: { name: "nothing", namespace: "default" },
    }
    const service = {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: "v1.kuadrant.io" },
      spec,
    }
    await kubectl(["apply", "-f", "-"], JSON.stringify(service))
    for (const { collect } of [scraping, watching]) {
      const { families } = await until(
        "the failure of its kinds, and of no others",
        async () => {
          const found = await collect()
          assert.ok(found.missing.has("authpolicies.kuadrant.io"))
          const others = [...found.missing].filter(([what]) => !what.endsWith(".kuadrant.io"))
          assert.deepEqual(others, [])
          return found
        },
        60,
      )
      assert.match(await exposed({ families }), /^gateway_metrics_up 0$/m)
      assert.equal(routesIn(await exposed({ families })), 5)
    }
    await kubectl(["delete", "apiservice", "v1.kuadrant.io"])
    await same("all of it again")
  })

  await outer.test("a token that is no longer valid is reported", async (t) => {
    const kinds = "gateways.gateway.networking.k8s.io"
    const account = await kubernetes.account("default/reader", "list,watch", kinds)
    const { collect } = await start(t, account, "--kinds=Gateway")
    assert.match(await exposed(await collect()), UP)
    await kubectl(["delete", "serviceaccount", "-n", "default", "reader"])
    const { missing } = await until("401", async () => {
      const collected = await collect()
      return collected.missing.size > 0 ? collected : undefined
    })
    assert.match(
      [...missing.values()].join(),
      /\(401\): the credentials of the kubeconfig or service account are not valid/,
    )
  })
})

interface Read {
  readonly families: Body
  readonly missing: ReadonlyMap<string, string>
  readonly outdated?: boolean
}

async function start(t: TestContext, kubeconfig: string, ...flags: readonly string[]) {
  const usage = { command: "fedstack exporter gateway-api", summary: "", settings: gatewayApiSettings }
  const reading = readSettings(usage, ["--kubeconfig", kubeconfig, ...flags], {})
  assert(reading.kind === "values")
  const collector = await openGatewayApi(reading.values, {
    env: {},
    now: () => new Date(),
    print: () => undefined,
    signal: t.signal,
    log: createLogger({ level: "error", format: "logfmt" }, "test", () => undefined),
    registry: createRegistry(),
  })
  t.after(() => collector.close?.())
  const collect = async (): Promise<Read> => (await collector.collect(t.signal)) as Read
  return {
    collect,
    /** The first collection that has everything. */
    ready: () =>
      until("everything", async () => {
        const collected = await collect()
        return collected.missing.size === 0 ? collected : undefined
      }),
  }
}
