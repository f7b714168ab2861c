import assert from "node:assert/strict"
import { rename } from "node:fs/promises"
import { test } from "node:test"
import { Registry } from "prom-client"
import { createLogger } from "#core/log/logger.ts"
import { serveKubeconfig } from "#core/kubernetes/testing.ts"
import { temporaryFolder } from "../../../../dev/testing/folder.ts"
import { until } from "../../../../dev/testing/until.ts"
import { FakeRules } from "./allow-list/testing.ts"
import { type CurrentRouting, openRouting } from "./open-routing.ts"
import { show, valuesOf } from "./testing.ts"

const context = () => ({
  log: createLogger({ level: "error", format: "logfmt" }, "test", () => undefined),
  registry: new Registry(),
  now: () => new Date(),
  env: {},
})

function routes(routing: CurrentRouting): string {
  const current = routing.current()
  if ("notReady" in current) return current.notReady
  return ["red", "blue"].map((value) => show(current.route([value]), current)).join(", ")
}

test("replaces the routing as a whole when the allow list changes, and only then", async (t) => {
  const folder = temporaryFolder(t)
  const file = await folder.write("tenants.yaml", "tenants: [red]")
  const routing = await openRouting(valuesOf(["--allow-list-file", file]), context())
  t.after(() => routing.close())
  assert.equal(routes(routing), "red 0, 0 by default")
  const before = routing.current()
  await folder.write("next.yaml", "tenants: [red, red] # again")
  await rename(`${folder.path}/next.yaml`, file)
  await routing.reload()
  assert.equal(routing.current(), before)
  await folder.write("next.yaml", "tenants: [blue]")
  await rename(`${folder.path}/next.yaml`, file)
  await until("the new list", () => routes(routing) === "0 by default, blue 0")
  assert.ok("route" in before)
  assert.equal(show(before.route(["red"]), before), "red 0") // of a request that is under way
})

test("is not ready before the allow list is", async (t) => {
  const rules = new FakeRules()
  rules.silent = true
  const argv = ["--kubernetes-poll-interval-seconds", "1", "--kubeconfig", await serveKubeconfig(t, rules.listener)]
  const routing = await openRouting(valuesOf(argv), context())
  t.after(() => routing.close())
  assert.equal(routes(routing), "the allow list is not known yet: its resources are being listed")
})

test("refuses settings that cannot work before anything is opened", async () => {
  const argv = ["--tenant-label-list", "le", "--allow-list-file", "/missing"]
  await assert.rejects(openRouting(valuesOf(argv), context()), {
    message: "--tenant-label-list: le cannot be a tenant label: it tells the buckets of a histogram apart",
  })
})
