import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../../dev/testing/until.ts"
import { BROKEN, record, resource, startChain } from "./chain.testing.ts"

const alert = (name: string, ...rules: readonly object[]) => ({ name, interval: "1s", rules })
const FIRING = { alert: "SiteDown", expr: "site_up == 0" }
const PENDING = { alert: "SiteDownLong", expr: "site_up == 0", for: "1h" }

test("from resources to alerts that fire", { timeout: 300_000 }, async (outer) => {
  const chain = await startChain(outer, ["one", "two"])
  if (chain === undefined) return
  const { apply, remove, settled, calls, alerts, beside } = chain
  const rare = ["--updater-poll-interval-seconds", "3600"]
  // of other writers, in the same namespace, and for a tenant that no resource has
  for (const tenant of ["red", "foreign"]) {
    await chain.put(tenant, "one", record("foreign"))
    beside[tenant] = { one: { foreign: record("foreign") } }
  }
  const informer = await chain.start(outer, ...rare)
  for (const tenant of ["red", "blue"]) await chain.push(tenant, "site_up", 0)

  await outer.test("an alert fires for each tenant of the resource, and for no other", async () => {
    await apply(resource("one/a", ["red", "blue"], alert("alerts", FIRING, PENDING), record("records")))
    await settled()
    for (const tenant of ["red", "blue"])
      await until("the alert", async () => (await alerts(tenant))["SiteDown"]?.startsWith("firing"))
    assert.deepEqual(await alerts("foreign"), {})
    assert.deepEqual(
      calls().filter((call) => call.startsWith("set ")),
      ["blue", "red"].flatMap((tenant) => [`set ${tenant} one/alerts`, `set ${tenant} one/records`]),
    )
  })

  const before = await until("both alerts", async () => {
    const all = await alerts("red")
    return Object.keys(all).length === 2 ? all : undefined
  })
  const keepsAlerts = async () => {
    // an edit of the group would have begun anew, which is seen in its next evaluation
    const evaluated = async () => {
      const { groups } = (await chain.cortex.get("red", "rules", {})) as {
        groups: readonly { name: string; lastEvaluation: string }[]
      }
      return groups.find(({ name }) => name === "alerts")?.lastEvaluation
    }
    const last = await evaluated()
    await until("the next evaluation", async () => ![last, undefined].includes(await evaluated()))
    assert.deepEqual(await alerts("red"), before)
  }

  await outer.test("alerts keep their state through edits of other groups and resources", async () => {
    await apply(
      resource("one/a", ["red", "blue"], alert("alerts", FIRING, PENDING), record("records", "up * 2")),
      resource("one/b", ["red"], record("more")),
    )
    await settled()
    assert.deepEqual(calls(), [
      "get blue one/records",
      ...["get red one/more", "get red one/records"],
      "set blue one/records",
      ...["set red one/more", "set red one/records"],
    ])
    // the same meaning: white space, comments, other spellings of durations, the order of labels
    await apply(
      resource(
        "one/a",
        ["red", "blue"],
        {
          ...alert("alerts", { ...FIRING, expr: "site_up==0 # down" }, { ...PENDING, for: "60m" }),
          interval: "1000ms",
        },
        record("records", "up * 2"),
      ),
    )
    await until("the edit to be seen", () => chain.proxy.calls.length >= 2)
    await keepsAlerts()
    assert.deepEqual(calls(), ["get blue one/alerts", "get red one/alerts"])
    await apply(resource("one/a", ["red", "blue"], alert("alerts", FIRING, PENDING), record("records", "up * 2")))
    await settled()
    await keepsAlerts()
    calls()
  })

  await outer.test("a resource is renamed without a write, and its alerts keep their state", async () => {
    await apply(resource("one/renamed", ["red", "blue"], alert("alerts", FIRING, PENDING), record("records", "up * 2")))
    await settled("one/renamed")
    calls()
    await remove("one/a")
    await settled()
    assert.deepEqual(calls(), [
      ...["get blue one/alerts", "get blue one/records", "get red one/alerts", "get red one/records"],
    ])
    await keepsAlerts()
  })

  await outer.test("a group moves between two resources, in either order, without a write", async () => {
    const [alerting, records] = [alert("alerts", FIRING, PENDING), record("records", "up * 2")]
    const has = (name: string, ...groups: Parameters<typeof resource>[2][]) =>
      apply(resource(`one/${name}`, ["red", "blue"], ...groups))
    await has("renamed", records)
    await has("target", alerting)
    await settled()
    await has("renamed", alerting, records)
    await has("target")
    await settled()
    assert.deepEqual([...new Set(calls())], ["get blue one/alerts", "get red one/alerts"])
    await keepsAlerts()
    await remove("one/target")
    await settled()
  })

  await outer.test(
    "of two resources with the same group the older has it, and the younger takes over without a gap",
    async () => {
      await apply(resource("two/older", ["red"], record("same", "up * 1")))
      await settled()
      // times of Kubernetes have seconds
      await until("another second", () => Date.now() % 1000 < 100)
      await apply(resource("two/younger", ["red", "blue"], record("same", "up * 2")))
      await settled("two/younger")
      assert.deepEqual(calls(), [
        ...["get blue two/same", "get red two/same", "get red two/same", "set blue two/same", "set red two/same"],
      ])
      await apply(resource("two/younger", ["red", "blue"], record("same", "up * 3")))
      await settled("two/younger")
      await remove("two/older")
      await settled()
      assert.deepEqual(calls(), [
        ...["get blue two/same", "get red two/same", "get red two/same", "set blue two/same", "set red two/same"],
      ])
    },
  )

  await outer.test("an invalid group holds back no other, and stays as it was", async () => {
    await apply(resource("one/b", ["red"], record("more", BROKEN), record("new", BROKEN), record("good")))
    beside["red"] = { one: { foreign: record("foreign"), more: record("more") } }
    await settled()
    assert.deepEqual(calls(), ["get red one/good", "get red one/more", "get red one/new", "set red one/good"])
    const [{ status } = {}] = (await chain.resources()).filter(({ metadata }) => metadata.name === "b")
    assert.deepEqual(
      status?.conditions?.map(({ type, reason, message }) => ({ type, reason, message })),
      [
        { type: "Accepted", reason: "InvalidGroups", message: '2 of 3 groups are invalid: "more", "new"' },
        { type: "Synced", reason: "Synced", message: "the rulers hold its valid groups for 1 tenant" },
      ],
    )
    await keepsAlerts()
    delete beside["red"]["one"]?.["more"]
    await apply(resource("one/b", ["red"], record("good")))
    await settled()
    // read when it was dropped, and again after the grace
    assert.deepEqual(calls(), ["delete red one/more", "get red one/more", "get red one/more"])
  })

  await outer.test("a restart reads each tenant once and writes nothing; alerts keep their state", async (t) => {
    await informer.close()
    calls()
    const again = await chain.start(t, ...rare)
    await until("it to be ready", async () => (await again.ready()) === "200 Ready.")
    await settled()
    await keepsAlerts()
    assert.deepEqual(calls(), ["list blue", "list red"])
  })

  await outer.test("resyncs without a change are one read of each tenant", async (t) => {
    await chain.start(t, "--updater-poll-interval-seconds", "1")
    await until("resyncs", () => chain.proxy.calls.length > 8)
    assert.deepEqual([...new Set(calls())], ["list blue", "list red"])
    await keepsAlerts()
    // what another client does to our group is undone, and what it does to its own is not
    await chain.put("red", "one", record("good", "up * 9"))
    beside["red"] = { one: { foreign: record("foreign", "up * 9") } }
    await chain.put("red", "one", record("foreign", "up * 9"))
    await settled()
    assert.deepEqual([...new Set(calls())], ["list blue", "list red", "set red one/good"])
    await keepsAlerts()
  })
})
