import { memoryOf, processorOf } from "../opa-peers/exporter.ts"
import { objectsOf, read, scrape, startBare, startExporter, startStandIn } from "./ground.ts"
import { median, say, scrapes, using } from "./measure.ts"

export async function measureGrowth(routes: number): Promise<void> {
  await using(startStandIn(routes), async (api) => {
    const { kubeconfig } = api
    const bareList = await using(startBare(kubeconfig), async (bare) =>
      median([Number(await read(bare.url)), Number(await read(bare.url)), Number(await read(bare.url))]),
    )
    await using(startExporter(kubeconfig, "--kubernetes.watch"), async ({ pid, url, ready }) => {
      const cpu = processorOf(pid)
      const [plain, gzip] = [await scrapes(url, "identity"), await scrapes(url, "gzip")]
      const { now, peak } = memoryOf(pid)
      const series = (await objectsOf(url)).match(/^g/gm)?.length
      say(
        `${routes} routes, all families: ${series} series, ${(plain.bytes / 1e6).toFixed(1)} MB, ${(gzip.bytes / 1e6).toFixed(2)} MB with gzip`,
      )
      say(
        `  watch mode: ready after ${ready.toFixed(0)} ms and ${cpu.toFixed(1)} s of processor time; scrape p50 ${plain.p50.toFixed(1)} ms plain, ${gzip.p50.toFixed(1)} ms gzip; RSS ${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB`,
      )
    })
    await using(startExporter(kubeconfig, "--kubernetes.timeout=120s"), async ({ pid, url }) => {
      const times = [await scrape(url, "gzip"), await scrape(url, "gzip"), await scrape(url, "gzip")]
      const { now, peak } = memoryOf(pid)
      say(
        `  scrape mode: scrape p50 ${median(times.map(({ milliseconds }) => milliseconds)).toFixed(0)} ms, a bare list ${bareList.toFixed(0)} ms; RSS ${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB`,
      )
    })
  })
}
