import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../../../dev/testing/until.ts"
import { accept, respondWith, SENDER, sliceOf, startForward, startUpstream } from "./testing.ts"

const OF_FORWARD =
  /^(?:open_metrics_proxy_(?:requests|series|failures)|fedstack_tenancy_proxy_(?:upstream_up|upstream_requests|written|slices|shared|unshared|waiting))\w*(?:\{|\s)/

test("counts what is sent by the tenant that is written, and shows what waits", async (t) => {
  const { promise: answer, resolve } = Promise.withResolvers<void>()
  const upstream = await startUpstream(t, async (received) => {
    if (received.samples.includes("late")) await answer
    if (received.samples.includes("bad")) respondWith(received.socket, 400)
    else await accept(received)
  })
  const { forward, registry } = await startForward(t, [upstream.url], { parallelOfTenant: 1 })
  await Promise.all([
    ...[["a"], ["b", "c"], ["bad"]].map((samples) => forward(sliceOf("one", samples), SENDER)),
    forward(sliceOf("two", ["d"]), SENDER),
  ])
  const late = forward(sliceOf("two", ["late"]), SENDER)
  await until("the request", () => upstream.received.length === 6)
  const waiting = forward(sliceOf("two", ["waits"]), SENDER)
  const lines = (await registry.metrics()).split("\n").filter((line) => OF_FORWARD.test(line))
  resolve()
  await Promise.all([late, waiting])
  const prefix = "fedstack_tenancy_proxy_"
  assert.deepEqual(lines, [
    'open_metrics_proxy_requests{tenant_id="one"} 4',
    'open_metrics_proxy_requests{tenant_id="two"} 1',
    'open_metrics_proxy_series{tenant_id="one"} 3',
    'open_metrics_proxy_series{tenant_id="two"} 1',
    "open_metrics_proxy_failures 2",
    `${prefix}written_elements_total{tenant_id="one",kind="samples"} 3`,
    `${prefix}written_elements_total{tenant_id="one",kind="histograms"} 0`,
    `${prefix}written_elements_total{tenant_id="one",kind="exemplars"} 0`,
    `${prefix}written_elements_total{tenant_id="two",kind="samples"} 1`,
    `${prefix}written_elements_total{tenant_id="two",kind="histograms"} 0`,
    `${prefix}written_elements_total{tenant_id="two",kind="exemplars"} 0`,
    `${prefix}slices_total{tenant_id="one",result="accepted"} 2`,
    `${prefix}slices_total{tenant_id="one",result="bad_request"} 1`,
    `${prefix}slices_total{tenant_id="two",result="accepted"} 1`,
    `${prefix}shared_slices_total 3`,
    `${prefix}unshared_slices_total 3`,
    `${prefix}upstream_requests_in_flight{tenant_id="two"} 1`,
    `${prefix}slices_waiting{tenant_id="two"} 1`,
    `${prefix}waiting_bytes{tenant_id="two"} 6`,
    `${prefix}upstream_up{upstream="${upstream.url.origin}/api/v1/push"} 1`,
  ])
})
