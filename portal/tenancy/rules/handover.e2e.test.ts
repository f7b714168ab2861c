import assert from "node:assert/strict"
import { join } from "node:path"
import { test } from "node:test"
import { start } from "../../../dev/testing/child.ts"
import { freePort } from "../../../dev/testing/free-port.ts"
import { until } from "../../../dev/testing/until.ts"
import { heldBy, record, resource, startChain } from "./chain.testing.ts"
import { recordingProxy } from "./ruler/recording-proxy.testing.ts"
import { isWrite } from "./ruler/ruler-call.testing.ts"
import { startTestInformer } from "./testing.ts"

const FEDSTACK = join(import.meta.dirname, "../../../bin/fedstack")
const RARE = ["--updater-poll-interval-seconds", "3600"]

test("replicas of which one is killed, and several rulers", { timeout: 300_000 }, async (outer) => {
  const chain = await startChain(outer, ["one"])
  if (chain === undefined) return
  const { apply, remove, settled, calls, cortex, proxy } = chain

  await outer.test(
    "a replica that is killed amid its writes is followed by the other, which writes what is left",
    async (t) => {
      const { promise: held, resolve: release } = Promise.withResolvers<{
        readonly status: number
        readonly text: string
      }>()
      let passed = 0
      // the ruler gets the first two writes; the others are under way when the replica is killed
      proxy.fault = ({ method }) => (method === "POST" && ++passed > 2 ? held : undefined)
      const replica = async (name: string) => {
        const port = await freePort()
        const own = ["--lease-identity", name, "--lease-duration", "3s", "--port", String(port)]
        const child = start(FEDSTACK, ["rules-informer", ...chain.args, ...RARE, ...own])
        t.after(() => child.stop())
        return child
      }
      const first = await replica("first")
      await until("the first to be active", () => first.output().includes("becoming active"))
      const second = await replica("second")
      await until("the second to serve", () => second.output().includes("msg=listening"))
      const groups = Array.from({ length: 6 }, (_, index) => record(`group-${index}`))
      await apply(resource("one/a", ["red"], ...groups))
      await until("writes", () => passed > 2)
      await until(
        "the first two",
        async () => Object.keys((await heldBy(cortex.url))["red"]?.["one"] ?? {}).length === 2,
      )
      await first.stop("SIGKILL")
      release({ status: 503, text: "killed" })
      assert.doesNotMatch(second.output(), /becoming active/)
      calls()
      proxy.fault = () => undefined
      const before = Object.keys((await heldBy(cortex.url))["red"]?.["one"] ?? {})
      await settled()
      const left = groups.map(({ name }) => name).filter((name) => !before.includes(name))
      assert.deepEqual(calls(), ["list red", ...left.map((name) => `set red one/${name}`)])
      await remove("one/a")
      await settled()
      await second.stop()
    },
  )

  await outer.test("of two rulers one is down: the other is kept in step, and the first when it is up", async (t) => {
    const other = await recordingProxy(t, new URL(cortex.url))
    other.fault = () => ({ status: 503, text: "down" })
    calls()
    const rulers = ["--ruler-upstream-url", `up=${proxy.url.href}`, "--ruler-upstream-url", `down=${other.url.href}`]
    const args = chain.args.slice(0, chain.args.indexOf("--ruler-upstream-url"))
    const informer = await startTestInformer(t, [...args, ...rulers, ...RARE])
    await apply(resource("one/a", ["red"], record("a")))
    await until("the write", async () => (await heldBy(cortex.url))["red"]?.["one"]?.["a"] !== undefined)
    await settled("one/a")
    assert.match(await informer.ready(), /^503 The rules of red at down are not known: GET /)
    other.fault = () => undefined
    await settled()
    assert.equal(await informer.ready(), "200 Ready.")
    // both are one Cortex here: what the second has to write stands there already
    assert.deepEqual(other.calls.filter(isWrite), [])
    await remove("one/a")
    await settled()
  })
})
