import assert from "node:assert/strict"
import { suite, test } from "node:test"
import { need } from "../../../dev/testing/component.ts"
import { cuttable } from "../../../dev/testing/faults/cuttable.ts"
import { enterNamespace } from "../../../dev/testing/faults/namespace.ts"
import { until } from "../../../dev/testing/until.ts"
import { first } from "./read-back.testing.ts"
import { finished, nothingIsLost, scrapes, SENDERS, startScene } from "./scene.testing.ts"

const place = await enterNamespace(import.meta.filename)
const network = "value" in place ? cuttable() : undefined

// one after the other: they share the address that is cut off
suite("while the network between the proxy and Cortex is cut", () => {
  for (const [prometheus, version] of SENDERS) {
    test(`nothing of what Prometheus ${prometheus} writes by remote write ${version} is lost`, async (t) => {
      if (need(t, place) === undefined || network === undefined) return
      const running = await startScene(
        t,
        [prometheus, version],
        { address: network.address },
        { remoteWrite: { remote_timeout: "1s" } },
      )
      if (running === undefined) return
      const { chain, sender } = running
      await until("5 scrapes", scrapes(sender, 5))
      for (let times = 0; times < 2; times += 1) {
        network.cut()
        await until("5 scrapes without a network", scrapes(sender, 5))
        network.heal()
        await until("3 scrapes", scrapes(sender, 3))
      }
      await finished(running, "final")
      const { missing } = await nothingIsLost(t, chain)
      assert.deepEqual(first(missing), [])
    })
  }
})
