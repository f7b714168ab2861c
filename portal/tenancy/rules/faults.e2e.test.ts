import assert from "node:assert/strict"
import { test } from "node:test"
import { until } from "../../../dev/testing/until.ts"
import { showCall } from "./ruler/ruler-call.testing.ts"
import { record, resource, startChain } from "./chain.testing.ts"

test("rules survive what fails between resources and a ruler", { timeout: 300_000 }, async (outer) => {
  const chain = await startChain(outer, ["one", "two"])
  if (chain === undefined) return
  const { apply, remove, settled, calls, cortex, kubernetes, proxy } = chain
  const tenants = ["red", "blue"]
  const writesOf = (all: readonly string[]) => all.filter((call) => /^(?:set|delete) /.test(call))
  const informer = await chain.start(outer, "--updater-poll-interval-seconds", "3600", "--ruler.timeout", "2s")
  await apply(resource("one/a", tenants, record("a"), record("stays")), resource("two/b", ["red"], record("b")))
  await settled()
  calls()
  const failures = () => informer.log().match(/reconciling a tenant failed/g)?.length ?? 0

  await outer.test("edits and deletions while the ruler is down are done when it is up", async () => {
    await cortex.kill()
    await apply(resource("one/a", tenants, record("renamed"), record("stays")))
    await remove("two/b")
    await until("failures", () => failures() >= 2)
    assert.deepEqual(writesOf(calls()), [])
    await cortex.start()
    await settled()
    assert.deepEqual(writesOf(calls()), [
      ...["delete blue one/a", "delete red one/a", "delete red two/b"],
      ...["set blue one/renamed", "set red one/renamed"],
    ])
  })

  await outer.test("a ruler that responds 400 to reads loses and gets nothing", async () => {
    const text = "error opening rules file\n"
    proxy.fault = ({ method }) => (method === "GET" ? { status: 400, text } : undefined)
    const before = failures()
    await apply(resource("one/a", tenants, record("renamed", "up * 2"), record("new"), record("stays")))
    await until("failures", () => failures() >= before + 2)
    assert.deepEqual(writesOf(calls()), [])
    proxy.fault = () => undefined
    await settled()
    assert.deepEqual(
      writesOf(calls()),
      ["blue", "red"].flatMap((tenant) => [`set ${tenant} one/new`, `set ${tenant} one/renamed`]),
    )
  })

  await outer.test("a tenant that is slow delays no other", async () => {
    const slow = Promise.withResolvers<undefined>()
    proxy.fault = ({ tenant }) => (tenant === "blue" ? slow.promise : undefined)
    await apply(resource("one/a", tenants, record("new"), record("stays")))
    await until("the other tenant", () =>
      proxy.calls.some(({ method, tenant }) => method === "DELETE" && tenant === "red"),
    )
    assert.deepEqual(writesOf(calls()), ["delete red one/renamed"])
    proxy.fault = () => undefined
    slow.resolve(undefined)
    await settled()
    assert.deepEqual(writesOf(calls()), ["delete blue one/renamed"])
  })

  await outer.test("a write whose response comes too late is not repeated when it was done", async () => {
    let isLate = true
    // it is done at the ruler, and the informer has given up by then
    proxy.fault = async ({ method, tenant, path, body }) => {
      if (!isLate || method !== "POST") return undefined
      const response = await fetch(`${cortex.url}${path}`, { method, headers: { "x-scope-orgid": tenant ?? "" }, body })
      await response.text()
      return new Promise(() => undefined)
    }
    const before = failures()
    await apply(resource("one/a", tenants, record("new", "up * 3"), record("stays")))
    await until("timeouts", () => failures() >= before + 2)
    assert.deepEqual(writesOf(calls()), ["set blue one/new", "set red one/new"])
    isLate = false
    await settled()
    assert.deepEqual(writesOf(calls()), [])
  })

  await outer.test("an API that is gone and restarted amid edits deletes nothing and loses none", async () => {
    await apply(resource("one/a", tenants, record("before"), record("stays")))
    await kubernetes.stopApi("torn")
    await kubernetes.startApi()
    await apply(resource("one/a", tenants, record("amid"), record("stays")), resource("two/b", ["blue"], record("b")))
    await remove("one/a")
    await settled()
    const writes = writesOf(calls())
    // each group that was written is gone again, in whichever state of the resource it was seen
    for (const tenant of tenants) {
      assert.ok(writes.includes(`delete ${tenant} one/stays`))
      for (const group of ["new", "before", "amid"]) {
        const isWritten = group === "new" || writes.includes(`set ${tenant} one/${group}`)
        assert.equal(writes.includes(`delete ${tenant} one/${group}`), isWritten, `${tenant} ${group}`)
      }
    }
    assert.equal(new Set(writes).size, writes.length, writes.join("\n"))
  })

  await outer.test(
    "a resource that is rewritten again and again is followed rarely, and its status says so",
    async () => {
      for (const times of Array.from({ length: 10 }, (_, index) => index + 1)) {
        await apply(resource("two/b", ["blue"], record("b", `up * ${times}`)))
        await until("the write", () => writesOf(proxy.calls.map(showCall)).length === times)
      }
      await apply(resource("two/b", ["blue"], record("b", "up * 11")))
      const accepted = await until("the status", async () => {
        const [{ status } = {}] = await chain.resources()
        return status?.conditions?.find(({ reason }) => reason === "ConflictOfWriters")
      })
      assert.deepEqual([accepted.type, accepted.status], ["Accepted", "False"])
      assert.equal(writesOf(calls()).length, 10)
      const events = await chain.kubectl([
        "get",
        "events.events.k8s.io",
        "-n",
        "two",
        "-o",
        "name",
        "--field-selector",
        "reason=ConflictOfWriters",
      ])
      assert.equal(events.trim().split("\n").length, 1)
    },
  )
})
