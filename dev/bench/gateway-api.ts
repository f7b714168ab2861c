import { availableParallelism, loadavg } from "node:os"
import { parseArgs } from "node:util"
import { findKubernetes, startKubernetes } from "../testing/kubernetes.ts"
import { fillCluster } from "./gateway-api-peers/cluster.ts"
import { measureGrowth } from "./gateway-api-peers/growth.ts"
import { say } from "./gateway-api-peers/measure.ts"
import { measureModes } from "./gateway-api-peers/modes.ts"
import { measureStorms } from "./gateway-api-peers/storms.ts"

const USAGE = `dev/bench/gateway-api [PART ...]: measures the exporter of Gateway API objects. Parts:
  modes    both modes against a bare paged list of a real API, with the 70 families of the predecessor and with all
  storms   500 updates a second that change nothing exported, against a bare watch, from a stand-in for the API
  growth   1,000, 10,000 and 100,000 routes, from the stand-in
  --kubeconfig FILE  a cluster that is filled with --routes already; without it one is started, which FEDSTACK_KUBE names
  --routes N         of the parts modes and storms (default 10000)
`

const closers: (() => unknown)[] = []

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { kubeconfig: { type: "string" }, routes: { type: "string" }, help: { type: "boolean" } },
  })
  if (values.help === true) return say(USAGE)
  const routes = Number(values.routes ?? 10_000)
  const wanted = (part: string): boolean => positionals.length === 0 || positionals.includes(part)
  say(`${availableParallelism()} cores, Node ${process.versions.node}, load ${loadavg()[0]?.toFixed(1)}`)
  try {
    if (wanted("modes")) await measureModes(values.kubeconfig ?? (await filled(routes)), routes, closers)
    if (wanted("storms")) await measureStorms(routes)
    if (wanted("growth")) for (const size of [1000, 10_000, 100_000]) await measureGrowth(size)
  } finally {
    for (const close of closers.toReversed()) await close()
  }
}

async function filled(routes: number): Promise<string> {
  const found = findKubernetes()
  if ("missing" in found) throw new Error(found.missing)
  const kubernetes = await startKubernetes({ after: (close) => void closers.push(close) }, found.value)
  await kubernetes.install("standard")
  await fillCluster(kubernetes.kubeconfig, routes, new AbortController().signal)
  return kubernetes.kubeconfig
}

await main()
process.exit()
