import { setTimeout as delay } from "node:timers/promises"
import { memoryOf, processorOf } from "../opa-peers/exporter.ts"
import { objectsOf, read, startBare, startExporter, startStandIn } from "./ground.ts"
import { promised, say, using } from "./measure.ts"

const STORM_SECONDS = 20

export async function measureStorms(routes: number): Promise<void> {
  await using(startStandIn(routes), async (api) => {
    const { kubeconfig } = api
    await using(startBare(kubeconfig, "watch"), (bare) =>
      using(startExporter(kubeconfig, "--kubernetes.watch"), async (exporter) => {
        say(`\n${routes} routes, all families: 500 updates a second for ${STORM_SECONDS} s`)
        for (const change of ["timestamp", "order", "value"]) {
          const before = (await objectsOf(exporter.url)).length
          await read(`${api.url}/storm?perSecond=500&change=${change}`)
          await delay(3000)
          const [own, bares, events] = [
            processorOf(exporter.pid),
            processorOf(bare.pid),
            Number(await read(`${bare.url}/events`)),
          ]
          await delay(STORM_SECONDS * 1000)
          const [ours, theirs] = [processorOf(exporter.pid) - own, processorOf(bare.pid) - bares]
          const received = Number(await read(`${bare.url}/events`)) - events
          await read(`${api.url}/storm?perSecond=0`)
          if (received < 450 * STORM_SECONDS) throw new Error(`only ${received} updates came`)
          const percent = (seconds: number): number => (seconds / STORM_SECONDS) * 100
          say(
            `  ${change.padEnd(10)} exporter ${percent(ours).toFixed(1)} % of a core, a bare watch ${percent(theirs).toFixed(1)} %`,
          )
          if (change !== "value") promised("difference, % of a core", percent(ours - theirs), 5)
          const { now, peak } = memoryOf(exporter.pid)
          say(`  RSS ${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB`)
          if (change !== "value" && (await objectsOf(exporter.url)).length !== before)
            throw new Error("the text changed")
        }
      }),
    )
  })
}
