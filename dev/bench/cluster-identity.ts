import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { findKubernetes, startKubernetes } from "../testing/kubernetes.ts"

const ROUNDS = 9
const ROOT = join(import.meta.dirname, "../..")
const MANIFESTS = join(ROOT, "site/kubernetes")
const INFRASTRUCTURE = {
  apiVersion: "config.openshift.io/v1",
  kind: "Infrastructure",
  metadata: { name: "cluster" },
  status: { infrastructureName: "demo", platformStatus: { type: "AWS", aws: { region: "eu-central-1" } } },
}
/** In the process that is measured: its peak memory in KiB, as the last thing that it prints. */
const REPORT = `process.on("exit", () => process.stderr.write("peak " + process.resourceUsage().maxRSS))`

const run = promisify(execFile)
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN

async function main(): Promise<void> {
  if (process.argv.includes("--help")) return say("dev/bench/cluster-identity: measures the init container")
  const found = findKubernetes()
  if ("missing" in found) {
    process.stderr.write(`dev/bench/cluster-identity: ${found.missing}\n`)
    process.exitCode = 1
    return
  }
  const closers: (() => Promise<void>)[] = []
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-"))
  try {
    const kubernetes = await startKubernetes({ after: (close) => void closers.push(close) }, found.value)
    await measure(folder, kubernetes)
  } finally {
    for (const close of closers) await close()
    await rm(folder, { recursive: true })
  }
}

async function measure(folder: string, kubernetes: Awaited<ReturnType<typeof startKubernetes>>): Promise<void> {
  const { kubectl } = kubernetes
  const crds = join(MANIFESTS, "testdata/cluster-identity-crds.yaml")
  for (const name of ["openshift-monitoring", "openshift-machine-api"]) await kubectl(["create", "namespace", name])
  await kubectl(["apply", "-f", crds])
  await kubectl(["wait", "--for=condition=Established", "-f", crds])
  await kubectl(["apply", "-f", "-"], JSON.stringify(INFRASTRUCTURE))
  await kubectl(["apply", "-k", join(MANIFESTS, "cluster-identity")])
  const KUBECONFIG = await kubernetes.account("openshift-monitoring/cluster-identity")
  for (const name of ["id", "key"]) await writeFile(join(folder, name), "x\n")
  await writeFile(join(folder, "report.mjs"), REPORT)
  const env = { ...process.env, KUBECONFIG, NODE_OPTIONS: `--import=${folder}/report.mjs` }
  const [times, peaks]: [number[], number[]] = [[], []]
  for (let round = -1; round < ROUNDS; round++) {
    const targets = ["c", "r", "o"].map((flag) => `-${flag}${folder}/${round}/${flag}/file`)
    const begin = performance.now()
    const args = ["cluster-identity", ...targets, `-a${folder}/id`, `-A${folder}/key`]
    const { stderr } = await run(join(ROOT, "bin/fedstack"), args, { env })
    if (round < 0) continue // fills the cache of compiled code, as the image has it
    times.push(performance.now() - begin)
    peaks.push(Number(/peak (\d+)/.exec(stderr)?.[1]) * 1.024e-3)
  }
  say(`${availableParallelism()} cores, Node ${process.versions.node}; ${ROUNDS} rounds against a real API`)
  const shown = (list: readonly number[], unit: string): string =>
    `median ${median(list).toFixed(0)} ${unit}, at most ${Math.max(...list).toFixed(0)} ${unit}`
  say(`  from start to written files: ${shown(times, "ms")} (promised less than 1000 ms)`)
  say(`  memory: ${shown(peaks, "MB")} (promised less than 100 MB)`)
}

await main()
