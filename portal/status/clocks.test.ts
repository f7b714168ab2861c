import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../dev/testing/until.ts"
import { watchTwo } from "./watched.testing.ts"

test("does not go by scrapes of a clock that was ahead once it is set right", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  watched.pass(3600)
  const ahead = watched.now() / 1000
  watched.fake.scrapes.set("a", [{ at: ahead, up: true }])
  watched.fake.scrapes.set("b", [{ at: ahead, up: true }])
  await watched.shows("a ok", "b ok")
  watched.pass(-3600)
  const at = watched.now() / 1000
  watched.fake.scrapes.set("a", [
    { at: at - 2, up: false },
    { at: at - 1, up: false },
  ])
  watched.fake.scrapes.set("b", [])
  await watched.shows("a down refused", "b waiting waiting")
})

test("knows nothing of Prometheus once the portal's own clock is set back and it does not respond", async (t) => {
  const watched = await watchTwo(t)
  await watched.shows("a ok", "b down refused")
  watched.fake.respond = (_, response) => response.end("<html>") !== undefined
  watched.pass(-3600)
  await watched.shows("a unknown (ok)", "b unknown (down) refused")
})

for (const [name, ahead] of [
  ["ahead", 3_600_000],
  ["behind", -3_600_000],
] as const) {
  test(`reckons with a clock of Prometheus that is ${name}`, async (t) => {
    const watched = await watchTwo(t, { ahead })
    const { sites } = await watched.shows("a ok", "b down refused")
    const age = (watched.now() - (sites[0]?.lastDelivery?.getTime() ?? 0)) / 1000
    assert.ok(age > 5 && age < 60, `delivered ${age} s ago`)
    // it is known by whole seconds: rows are not to change with what is left
    watched.fake.now = () => watched.now() + ahead + 1500
    const polls = watched.fake.requests.length + 10
    await until("more polls", () => watched.fake.requests.length > polls || undefined)
    assert.equal(watched.status.source.current().sites[0], sites[0])
  })
}
