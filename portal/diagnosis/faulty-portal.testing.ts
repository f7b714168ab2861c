import assert from "node:assert/strict"
import { join } from "node:path"
import type { TestContext } from "node:test"
import { setTimeout as delay } from "node:timers/promises"
import { isDeepStrictEqual } from "node:util"
import type { Fault } from "../../dev/testing/faults/fault.ts"
import { type FaultySites, startFaultySites } from "../../dev/testing/faults/stack.ts"
import { findPrometheus, type RunningPrometheus, startPrometheus, type Version } from "../../dev/testing/prometheus.ts"
import { need } from "../../dev/testing/component.ts"
import { until } from "../../dev/testing/until.ts"
import { ready, startDoor, startPortal, type TestPortal } from "../federation/testing.ts"

export interface FaultyPortal {
  readonly portal: TestPortal
  readonly prometheus: RunningPrometheus
  readonly started: FaultySites
  /** The host of `--prometheus.url`. */
  readonly shard: string
}

/** Those of the faults that can be produced here, with this Prometheus. */
export const producible = <F extends Fault>(
  faults: Readonly<Record<string, F>>,
  version: Version,
  inNamespace: boolean,
): Readonly<Record<string, F>> =>
  Object.fromEntries(
    Object.entries(faults).filter(
      ([, { needsNamespace, versions }]) =>
        (inNamespace || needsNamespace !== true) && versions?.includes(version) !== false,
    ),
  )

/**
 * The portal with all these faults at once, each a site of its own, and its real Prometheus, which has been restarted after
 * files were spoilt. Undefined where that Prometheus is missing, and the test is marked as skipped.
 */
export async function startFaultyPortal(
  t: TestContext,
  version: Version,
  faults: Readonly<Record<string, Fault>>,
  more: Readonly<Record<string, string>> = {},
): Promise<FaultyPortal | undefined> {
  const program = need(t, findPrometheus(version))
  if (program === undefined) return undefined
  const started = await startFaultySites(faults)
  t.after(() => started.close())
  const door = await startDoor(t)
  const portal = await startPortal(t, { ...started.files, ...more }, door.url)
  await ready(portal)
  const folder = join(portal.folder, "out")
  const first = await run(t, program, folder)
  door.leadTo(first.url)
  // from now on the portal leaves the files alone
  await until("the portal to have reloaded", () => portal.child.output().includes("Prometheus reloaded") || undefined)
  await started.spoil(folder)
  await end(first)
  const prometheus = await run(t, program, folder)
  door.leadTo(prometheus.url)
  return { portal, prometheus, started, shard: new URL(door.url).host }
}

async function run(t: TestContext, program: string, folder: string): Promise<RunningPrometheus> {
  const prometheus = await startPrometheus(program, join(folder, "prometheus.yml"))
  t.after(() => end(prometheus))
  return prometheus
}

/** One that waits for a token server does not end by itself. */
async function end(prometheus: RunningPrometheus): Promise<void> {
  prometheus.child.process.kill("SIGKILL")
  await prometheus.stop()
}

export interface Target {
  readonly health: string
  readonly lastError: string
}

/** By name of the site. */
export async function targetsOf({ url }: RunningPrometheus): Promise<ReadonlyMap<string, Target>> {
  const { data } = (await (await fetch(`${url}/api/v1/targets?state=active`)).json()) as {
    data: { activeTargets: (Target & { labels: { site?: string } })[] }
  }
  return new Map(data.activeTargets.map((target) => [target.labels.site ?? "", target]))
}

/** What is shown to people, without what differs by run. */
export const steady = (text: string): string =>
  text
    .replaceAll(/(127\.0\.0\.1|localhost|two\.example\.org):(?!53\b|1\b)\d+/g, "$1:PORT")
    .replaceAll(/\d+ \w{3} \d{4}, \d\d:\d\d:\d\d UTC/g, "TIME")
    .replaceAll(/127\.0\.0\.9:\d+/g, "127.0.0.9:PORT")
    // an hour, by headers without fractions of a second
    .replaceAll("59 min ahead", "1 h ahead")
    .replaceAll(/takes [\d.]+ s of/g, "takes N s of")
    .replaceAll(/again in [\d.]+ (?:s|min)\b/g, "again in A WHILE")
    .replaceAll(/at \d\d:\d\d:\d\d UTC/g, "at TIME")
    .replaceAll(/sites\.yaml, line \d+/g, "sites.yaml, line N")
    .replaceAll(/\S*\/out\/(\w+\/[\w-]+)\.[\da-f]{8}/g, "OUT/$1.HASH")

/** Waits until lines are as expected, and throws with the difference where they are not within so many seconds. */
export async function becomes(
  expected: readonly string[],
  lines: () => Promise<readonly string[]>,
  seconds: number,
): Promise<void> {
  let found: readonly string[] = []
  const isAsExpected = async (): Promise<true | undefined> => {
    await delay(250)
    found = await lines()
    return isDeepStrictEqual(found, expected) ? true : undefined
  }
  // to write the difference takes longer than all the rest
  await until("the lines to be as expected", isAsExpected, seconds).catch(() => assert.deepEqual(found, expected))
}
