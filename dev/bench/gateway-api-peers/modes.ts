import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { setTimeout as delay } from "node:timers/promises"
import { startCountingGate } from "../opa-peers/counting-gate.ts"
import { memoryOf, processorOf } from "../opa-peers/exporter.ts"
import { routeStatus, writeStatuses } from "./cluster.ts"
import {
  familiesOfPredecessor,
  objectsOf,
  read,
  scrape,
  serverOf,
  startBare,
  type Started,
  startExporter,
  throughGate,
} from "./ground.ts"
import { median, promised, say, scrapes, using } from "./measure.ts"

/** Objects a second. */
const CHANGES = 50
/** Of scrape mode, which takes seconds of each. */
const LISTS = 7
const SETS = [
  ["the 70 families", [familiesOfPredecessor()]],
  ["all families", []],
  ["all families and reasons", ["--condition-reasons"]],
] as const

export async function measureModes(kubeconfig: string, routes: number, closers: (() => unknown)[]): Promise<void> {
  const api = join(dirname(kubeconfig), "run/kube-apiserver.pid")
  const apiPid = existsSync(api) ? Number(readFileSync(api, "utf8")) : undefined
  const starts: number[] = []
  const lists: number[] = []
  for (let round = 0; round < 3; round++) {
    await using(startBare(kubeconfig), async (bare) => {
      starts.push(bare.ready)
      for (let count = 0; count < 3; count++) lists.push(Number(await read(bare.url)))
    })
  }
  const [bareStart, bareList] = [median(starts), median(lists)]
  say(
    `\n${routes} routes: a bare paged list takes ${bareList.toFixed(0)} ms, with the start of its process ${bareStart.toFixed(0)} ms`,
  )
  for (const [name, args] of SETS) {
    const texts = [
      await using(startExporter(kubeconfig, "--kubernetes.watch", ...args), (one) =>
        measureWatch(one, name, bareStart, kubeconfig, routes),
      ),
      await measureScrape(kubeconfig, name, args, bareList, apiPid, closers),
    ]
    if (texts[0] === "" || texts[0] !== texts[1]) throw new Error(`${name}: the modes give different texts`)
  }
}

async function measureWatch(
  { pid, url, ready }: Started,
  name: string,
  bareStart: number,
  kubeconfig: string,
  routes: number,
): Promise<string> {
  const begun = processorOf(pid)
  const [plain, gzip] = [await scrapes(url, "identity"), await scrapes(url, "gzip")]
  const { now, peak } = memoryOf(pid)
  const text = await objectsOf(url)
  const ending = new AbortController()
  const writing = writeStatuses(
    kubeconfig,
    routes,
    CHANGES,
    (index, round) => routeStatus(index, round % 2 === 1),
    ending.signal,
  )
  const changing = await scrapes(url, "gzip", 1000)
  ending.abort()
  const written = await writing
  await writeStatusesOnce(kubeconfig, written)
  const after = memoryOf(pid)
  say(
    `watch mode, ${name}: ${text.match(/^g/gm)?.length} series, ${plain.bytes} bytes, ${gzip.bytes} with gzip; ${begun.toFixed(1)} s of processor time until ready`,
  )
  promised("ready, to the bare list, both with their process's start", ready / bareStart, 1.5)
  promised("scrape p50 plain, ms", plain.p50, 40)
  promised("scrape p50 gzip, ms", gzip.p50, 10)
  promised(`scrape p50 gzip each second, while ${CHANGES} objects/s change, ms`, changing.p50, 60)
  promised("RSS, MB", now, 120)
  promised("RSS at most, MB", peak, 200)
  say(`  RSS after ${written} changes ${after.now.toFixed(0)} MB, at most ${after.peak.toFixed(0)} MB`)
  await settled(url, text)
  return text
}

/** Statuses as they were before. */
async function writeStatusesOnce(kubeconfig: string, count: number): Promise<void> {
  const ending = new AbortController()
  await writeStatuses(
    kubeconfig,
    count,
    1e9,
    (index, round) => {
      if (round > 0) ending.abort()
      return routeStatus(index, true)
    },
    ending.signal,
  )
}

async function settled(url: string, text: string): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    if ((await objectsOf(url)) === text) return
    await delay(200)
  }
  throw new Error("the exposition is not the one of before the changes")
}

async function measureScrape(
  kubeconfig: string,
  name: string,
  args: readonly string[],
  bareList: number,
  apiPid: number | undefined,
  closers: (() => unknown)[],
): Promise<string> {
  const gate = await startCountingGate(Number(new URL(serverOf(kubeconfig)).port), closers)
  const { file } = throughGate(kubeconfig, gate.url)
  return using(startExporter(file, "--kubernetes.timeout=60s", ...args), async ({ pid, url }) => {
    await scrape(url, "gzip")
    await scrape(url, "gzip")
    const [bytes, cpu] = [gate.bytes(), apiPid === undefined ? Number.NaN : processorOf(apiPid)]
    const own = processorOf(pid)
    const { p50 } = await scrapes(url, "gzip", 0, LISTS)
    const { now, peak } = memoryOf(pid)
    const apiSeconds = (apiPid === undefined ? Number.NaN : processorOf(apiPid)) - cpu
    say(
      `scrape mode, ${name}: p50 ${p50.toFixed(0)} ms; of a scrape ${((gate.bytes() - bytes) / LISTS / 1e6).toFixed(1)} MB from the API, processor time ${(apiSeconds / LISTS).toFixed(2)} s of the API server and ${((processorOf(pid) - own) / LISTS).toFixed(2)} s of the exporter`,
    )
    promised("scrape p50 to the bare list", p50 / bareList, 1.2)
    promised("RSS, MB", now, 120)
    promised("RSS at most, MB", peak, 200)
    return objectsOf(url)
  })
}
