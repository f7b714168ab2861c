import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isDeepStrictEqual, promisify } from "node:util"
import { type KubernetesApi, openKubernetes } from "#core/kubernetes/api.ts"
import { createReadListing } from "../../../portal/tenancy/rules/ruler/read-listing.ts"
import type { TenantGroups } from "../../../portal/tenancy/rules/ruler/ruler.ts"
import { sameGroup } from "../../../portal/tenancy/rules/model/same-group.ts"
import { findCortex, startCortex } from "../../testing/cortex.ts"
import { type Cleanup, findKubernetes, startKubernetes } from "../../testing/kubernetes.ts"
import { type BenchResource, NAMESPACES } from "./groups.ts"
import { type Recorder, startRecorder } from "./recorder.ts"

const CRD = join(import.meta.dirname, "../../../portal/kubernetes/openmetricsrule/customresourcedefinition.yaml")
/** The ruler does not load what is written: it is the API that is measured. */
const FLAGS = ["-ruler.poll-interval=1h"]

export interface Ground {
  readonly folder: string
  readonly kubeconfig: string
  readonly api: KubernetesApi
  readonly ruler: string
  readonly recorder: Recorder
  create(resources: readonly BenchResource[]): Promise<void>
}

export async function prepare(cleanup: Cleanup): Promise<Ground> {
  const [kube, cortex] = [findKubernetes(), findCortex()]
  if ("missing" in kube) throw new Error(kube.missing)
  if ("missing" in cortex) throw new Error(cortex.missing)
  const folder = await mkdtemp(join(tmpdir(), "fedstack-bench-rules-"))
  cleanup.after(() => rm(folder, { recursive: true, force: true }))
  const [{ kubectl, kubeconfig }, { url }] = await Promise.all([
    startKubernetes(cleanup, kube.value),
    startCortex(cleanup, cortex.value, { flags: FLAGS }),
  ])
  await kubectl(["apply", "-f", CRD])
  await kubectl(["wait", "--for=condition=Established", "-f", CRD])
  for (const namespace of NAMESPACES) await kubectl(["create", "namespace", namespace])
  const api = await openKubernetes({ kubeconfig, context: undefined, env: {} })
  cleanup.after(() => api.close())
  return {
    ...{ folder, kubeconfig, api, ruler: url },
    recorder: await startRecorder(cleanup, url),
    async create(items) {
      await kubectl(["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }))
    },
  }
}

export interface NaiveCycle {
  readonly seconds: number
  readonly cpu: number
  readonly writes: number
}

/** One cycle of the naive synchroniser, in a process of its own. */
export async function runNaive(ground: Ground, resources: readonly BenchResource[]): Promise<NaiveCycle> {
  const file = join(ground.folder, "resources.json")
  await writeFile(file, JSON.stringify(resources))
  const script = join(import.meta.dirname, "naive.ts")
  const { stdout } = await promisify(execFile)(process.execPath, [script, ground.recorder.url, file])
  return JSON.parse(stdout) as NaiveCycle
}

const readListing = createReadListing()

async function groupsOf(ruler: string, tenant: string): Promise<TenantGroups> {
  const response = await fetch(`${ruler}/api/v1/rules`, { headers: { "x-scope-orgid": tenant } })
  if (!response.ok) throw new Error(`the ruler responded ${response.status}`)
  return readListing(Buffer.from(await response.arrayBuffer()))
}

/** Throws where the ruler holds anything but the groups of these resources, and where the other tenants have others. */
export async function requireSame(
  { ruler }: Ground,
  resources: readonly BenchResource[],
  pairs: readonly (readonly [tenant: string, naive: string])[],
): Promise<number> {
  let count = 0
  for (const [tenant, naive] of pairs) {
    const [groups, others] = [await groupsOf(ruler, tenant), await groupsOf(ruler, naive)]
    if (!isDeepStrictEqual(groups, others)) throw new Error(`${tenant} and ${naive} have other groups`)
    const wanted = resources
      .filter(({ spec }) => spec.tenants.includes(tenant))
      .flatMap(({ metadata, spec }) => spec.groups.map((group) => [metadata.namespace, group] as const))
    const held = groups.values().reduce((sum, all) => sum + all.size, 0)
    const wrong = wanted.filter(([namespace, group]) => {
      const found = groups.get(namespace)?.get(group.name)
      return found === undefined || !sameGroup(found, group)
    })
    if (wrong.length > 0 || held !== wanted.length)
      throw new Error(`${tenant} has ${held} groups, of which ${wrong.length} are wrong, not ${wanted.length}`)
    count += held
  }
  return count
}
