import { availableParallelism, loadavg } from "node:os"
import { setTimeout as delay } from "node:timers/promises"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { stringify } from "yaml"
import { objectsOf } from "#core/kubernetes/objects.ts"
import { RULE_RESOURCES } from "../../portal/tenancy/rules/resources/watch-resources.ts"
import { readNumbers } from "../testing/arguments.ts"
import { findPrometheus } from "../testing/prometheus.ts"
import { cpuOf } from "./proxy-peers/load.ts"
import { type Checked, runToEnd } from "./rules-peers/check.ts"
import { type BenchResource, makeGroup, makeResource, makeResources, NAMESPACES } from "./rules-peers/groups.ts"
import { type Ground, type NaiveCycle, prepare, requireSame, runNaive } from "./rules-peers/ground.ts"
import { type Informer, startInformer } from "./rules-peers/informer.ts"
import type { Recorded } from "./rules-peers/recorder.ts"

const { quick: QUICK } = readNumbers(
  "dev/bench/rules",
  "measures rules of a real Kubernetes API in a real Cortex beside a naive synchroniser, and check rules beside promtool.",
  {},
  { quick: "100 groups of 5 tenants, 1,000 rules: a minute instead of five" },
)
const GROUPS = QUICK ? 100 : 1000
const TENANTS = QUICK ? 5 : 20
const ROUNDS = 3
const EDITS = QUICK ? 10 : 20
const CHECKS = QUICK ? 3 : 5
const RULES = QUICK ? 1000 : 10_000
/** Seconds between two comparisons of everything. */
const RESYNC = QUICK ? 4 : 10
const PATIENCE = 240

const closers: (() => unknown)[] = []
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const most = (values: readonly number[]): number => values.reduce((one, other) => Math.max(one, other), 0)
const names = (prefix: string): readonly string[] =>
  Array.from({ length: TENANTS }, (_, index) => `${prefix}-${String(index + 1).padStart(2, "0")}`)
const [OURS, NAIVE] = [names("tenant"), names("naive")]
const isWrite = ({ method }: Recorded): boolean => method !== "GET"

async function main(): Promise<void> {
  const prometheus = findPrometheus("3.5")
  if ("missing" in prometheus) throw new Error(prometheus.missing)
  const load = (): string => `load ${(loadavg()[0] ?? 0).toFixed(1)}`
  say(`${availableParallelism()} cores, Node ${process.versions.node}, ${load()}`)
  const ground = await prepare({ after: (close) => void closers.unshift(close) })
  // each is edited once: a resource that is edited again and again is written more rarely
  const singles = Array.from({ length: EDITS }, (_, index) =>
    makeResource(NAMESPACES[0], `one-${index}`, OURS.slice(0, 1), [makeGroup(GROUPS + index)]),
  )
  const resources = [...makeResources(GROUPS, OURS), ...singles]
  await ground.create(resources)
  const naive = (): Promise<NaiveCycle> => runNaive(ground, resources.map(forNaive))

  say(`\n${GROUPS} groups of ${TENANTS} tenants in ${resources.length} resources, first sync`)
  const first = await naive()
  say(`naive       ${first.seconds.toFixed(1)} s, ${first.writes} writes, ${first.cpu.toFixed(1)} s CPU`)
  const { calls } = ground.recorder
  calls.length = 0
  const args = [
    ...["--kubeconfig", ground.kubeconfig, "--namespace", NAMESPACES.join(",")],
    ...["--ruler-upstream-url", ground.recorder.url, "--updater-poll-interval-seconds", String(RESYNC)],
  ]
  let informer = await startInformer(args, PATIENCE)
  const firstSeconds = informer.seconds
  closers.unshift(() => informer.stop())
  const [writes, cpu] = [calls.filter(isWrite).length, cpuOf(informer.pid)]
  say(
    `fedstack    ${informer.seconds.toFixed(1)} s (promised under 60 s), ${writes} writes, ${cpu.toFixed(1)} s CPU, ${load()}`,
  )
  if (writes !== first.writes) throw new Error(`${first.writes} writes were needed`)
  await informer.synced(resources.length)
  showMost(informer)

  const naives: NaiveCycle[] = []
  const resyncs: number[] = []
  say(`\nnothing changed, ${ROUNDS} rounds in turn, medians`)
  for (let round = 0; round < ROUNDS; round++) {
    naives.push(await naive())
    resyncs.push(await measureResync(ground, informer))
  }
  const restarts: Restart[] = []
  for (let round = 0; round < ROUNDS; round++) {
    showMost(informer, round === 0 ? undefined : "silent")
    await informer.stop()
    calls.length = 0
    informer = await startInformer(args, PATIENCE)
    restarts.push({ seconds: informer.seconds, cpu: cpuOf(informer.pid) })
    requireReads(calls.splice(0), 1)
  }
  const of = <K extends string>(all: readonly Readonly<Record<K, number>>[], key: K): number =>
    median(all.map((one) => one[key]))
  const rewritten = most(naives.map((one) => one.writes))
  say(
    `naive       ${of(naives, "seconds").toFixed(2)} s, ${of(naives, "cpu").toFixed(2)} s CPU, ${rewritten} writes a cycle`,
  )
  say(
    `fedstack    ${median(resyncs).toFixed(3)} s CPU a cycle, 1 read a tenant and 0 writes (asserted); after a start ${of(restarts, "seconds").toFixed(2)} s, ${of(restarts, "cpu").toFixed(2)} s CPU, ${load()}`,
  )

  await informer.synced(resources.length)
  await measureEdits(ground, resources, singles)
  showMost(informer)
  say(`${(await requireSame(ground, resources, await pairs(naive))).toString()} groups are the same in both`)
  await informer.stop()
  const [ours, theirs] = await measureCheck(ground, join(prometheus.value, "promtool"))
  say(
    `\nnaive to fedstack: no-change cycle ${(of(naives, "cpu") / median(resyncs)).toFixed(1)} of the CPU, after a start ${(of(naives, "cpu") / of(restarts, "cpu")).toFixed(2)}, first sync ${(first.seconds / firstSeconds).toFixed(2)} of the time; check rules to promtool ${(ours / theirs).toFixed(2)}`,
  )
}

interface Restart {
  readonly seconds: number
  readonly cpu: number
}

const forNaive = ({ metadata, spec, ...rest }: BenchResource): BenchResource => ({
  ...{ ...rest, metadata },
  spec: { ...spec, tenants: spec.tenants.map((tenant) => NAIVE[OURS.indexOf(tenant)] ?? "") },
})

/** The naive synchroniser knows of the edits too. */
async function pairs(naive: () => Promise<NaiveCycle>): Promise<readonly (readonly [string, string])[]> {
  await naive()
  return OURS.map((tenant, index) => [tenant, NAIVE[index] ?? ""])
}

function showMost(informer: Informer, silent?: "silent"): void {
  const { resident, wait } = informer.most()
  if (silent === undefined)
    say(
      `            RSS at most ${resident.toFixed(0)} MB (promised under 200 MB), responds within ${wait.toFixed(0)} ms`,
    )
}

/** Seconds of the processor for a comparison of all tenants. */
async function measureResync({ recorder: { calls } }: Ground, { pid }: Informer): Promise<number> {
  calls.length = 0
  const begin = cpuOf(pid)
  await delay(RESYNC * 1100 + 500)
  const cpu = cpuOf(pid) - begin
  const seen = calls.splice(0)
  requireReads(seen, 2) // the interval is 10 % shorter or longer by chance
  return (cpu * TENANTS) / seen.length
}

/** Throws where a tenant was not read, more often than so, twice in one interval, or anything was written. */
function requireReads(calls: readonly Recorded[], atMost: number): void {
  const written = calls.filter(isWrite)
  if (written.length > 0) throw new Error(`${written.length} writes although nothing changed`)
  const reads = Map.groupBy(calls, ({ tenant }) => tenant)
  for (const tenant of OURS) {
    const own = (reads.get(tenant) ?? []).map(({ at }) => at)
    const isEarly = own.some((at, index) => index > 0 && at - (own[index - 1] ?? 0) < RESYNC * 700)
    if (own.length === 0 || own.length > atMost || isEarly) throw new Error(`${own.length} reads of ${tenant}`)
  }
}

/** From the begin of an edit at the API until the ruler has acknowledged what follows from it. */
async function measureEdits(
  { api, recorder: { calls } }: Ground,
  resources: BenchResource[],
  singles: readonly BenchResource[],
): Promise<void> {
  const objects = objectsOf(api, RULE_RESOURCES)
  const edit = async (before: BenchResource): Promise<number> => {
    const { metadata, spec } = before
    const index = resources.indexOf(before)
    const [group, ...others] = spec.groups
    if (group === undefined) throw new Error(`${metadata.name} has no groups`)
    const rules = group.rules.map((rule) => ({ ...rule, expr: rule.expr.replace("> 0.9", "> 0.8") }))
    const after = { ...before, spec: { ...spec, groups: [{ ...group, rules }, ...others] } }
    resources[index] = after
    calls.length = 0
    const begin = performance.now()
    await objects.patch(metadata, { type: "merge", value: { spec: after.spec } }, AbortSignal.timeout(10_000))
    const end = begin + 30_000
    const written = (): number => calls.filter(isWrite).length
    while (written() < spec.tenants.length) {
      if (performance.now() > end) throw new Error(`waited 30 s for an edit of ${metadata.name}`)
      await delay(2)
    }
    const milliseconds = (calls.findLast(isWrite)?.at ?? Number.NaN) - begin
    await delay(300)
    if (written() !== spec.tenants.length) throw new Error(`${written()} writes for an edit of ${metadata.name}`)
    return milliseconds
  }
  say(`\n${EDITS} edits, from the request to the API until the last tenant's group was acknowledged`)
  for (const [what, edited] of [
    [`${TENANTS} tenants`, resources.slice(0, EDITS)],
    ["one tenant", singles],
  ] as const) {
    const times: number[] = []
    for (const resource of edited) times.push(await edit(resource))
    say(
      `${what.padEnd(12)}p50 ${median(times).toFixed(0)} ms (promised under 1000 ms), at most ${most(times).toFixed(0)} ms`,
    )
  }
}

/** Files of valid rules, and with one invalid expression. Medians of seconds. */
async function measureCheck({ folder }: Ground, promtool: string): Promise<readonly [number, number]> {
  const groups = Array.from({ length: RULES / 10 }, (_, index) => makeGroup(index, 0.9, 10))
  const [valid, invalid] = [join(folder, "valid.yaml"), join(folder, "invalid.yaml")]
  const text = stringify({ groups })
  await writeFile(valid, text)
  await writeFile(invalid, text.replace("[5m]", "[5q]"))
  const fedstack = join(import.meta.dirname, "../../bin/fedstack")
  const runs = { fedstack: [] as Checked[], promtool: [] as Checked[] }
  for (let round = 0; round < CHECKS; round++)
    for (const [file, code] of [
      [valid, 0],
      [invalid, 1],
    ] as const) {
      const ours = await runToEnd(fedstack, ["check", "rules", file])
      const theirs = await runToEnd(promtool, ["check", "rules", file])
      if (ours.code !== code || theirs.code !== code)
        throw new Error(`${file}: fedstack ended with ${ours.code}, promtool with ${theirs.code}`)
      if (code !== 0) continue
      runs.fedstack.push(ours)
      runs.promtool.push(theirs)
    }
  say(`\n${RULES} rules in a file, ${CHECKS} rounds in turn; the same verdict of it and of one with a fault`)
  const times = (["fedstack", "promtool"] as const).map((name) => {
    const seconds = median(runs[name].map((one) => one.seconds))
    say(
      `${name === "fedstack" ? "check rules" : "promtool   "} ${seconds.toFixed(2)} s, RSS at most ${most(runs[name].map((one) => one.resident)).toFixed(0)} MB`,
    )
    return seconds
  })
  return [times[0] ?? Number.NaN, times[1] ?? Number.NaN]
}

try {
  await main()
} finally {
  for (const close of closers.splice(0)) await close()
}
