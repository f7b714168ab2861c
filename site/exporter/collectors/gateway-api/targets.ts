import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { discoverKinds } from "#core/kubernetes/discovery.ts"
import { KubernetesError } from "#core/kubernetes/errors.ts"
import type { Resource } from "#core/kubernetes/resource.ts"
import { explain } from "#core/errors.ts"
import type { Kind } from "./kind.ts"

/** A kind in one of its groups, in the version that is read. */
export interface Target {
  readonly kind: Kind
  readonly group: string
  /** undefined: the API does not serve it, or cannot say so. */
  readonly resource: Resource | undefined
  readonly namespaced: boolean
  /** Why it is not known whether the kind is served. */
  readonly problem?: KubernetesError
}

export const idOf = ({ kind, group }: Pick<Target, "kind" | "group">): string => `${kind.plural}.${group}`

/** Each of them is read on its own: one that hangs, as a group of another server may, does not hold the others up. */
export function groupsOf(kinds: readonly Kind[]): readonly string[] {
  return [...new Set(kinds.flatMap(({ groups }) => groups))]
}

/** What was found by group, in the order of the kinds. */
export function inOrder<T>(kinds: readonly Kind[], found: readonly T[], target: (each: T) => Target): readonly T[] {
  const byId = new Map(found.map((each) => [idOf(target(each)), each] as const))
  return kinds.flatMap((kind) => kind.groups.flatMap((group) => byId.get(idOf({ kind, group })) ?? []))
}

/** The kinds of a group, as the API serves it now. Rejects only as `ended` is aborted. */
export async function discoverTargets(
  api: KubernetesApi,
  kinds: readonly Kind[],
  group: string,
  signal: AbortSignal,
  ended = signal,
): Promise<readonly Target[]> {
  const served = await discoverKinds(api, group, signal).catch(problemOf(ended))
  return kinds.filter(({ groups }) => groups.includes(group)).map((kind) => targetOf(kind, group, served))
}

/** Milliseconds for which it is believed what is served: CRDs are installed and removed by people. */
const BELIEVED = 30_000

/** The same, remembered for a while where nothing was wrong. */
export function rememberTargets(api: KubernetesApi, kinds: readonly Kind[], group: string) {
  let last: { readonly targets: readonly Target[]; readonly until: number } | undefined
  return {
    async current(signal: AbortSignal, ended: AbortSignal): Promise<readonly Target[]> {
      if (last !== undefined && performance.now() < last.until) return last.targets
      const targets = await discoverTargets(api, kinds, group, signal, ended)
      const whole = targets.every(({ problem }) => problem === undefined)
      last = whole ? { targets, until: performance.now() + BELIEVED } : undefined
      return targets
    },
    /** For a kind that turned out to be served no more. */
    forget(): void {
      last = undefined
    },
  }
}

type Served = Awaited<ReturnType<typeof discoverKinds>>

function targetOf(kind: Kind, group: string, served: Served | KubernetesError): Target {
  const unknown = { kind, group, resource: undefined, namespaced: true }
  if (served instanceof KubernetesError) return { ...unknown, problem: served }
  const found = served.get(kind.plural)
  const version = found && preferred(found.versions)
  if (found === undefined || version === undefined) return unknown
  const resource = { group, version, plural: kind.plural, kind: kind.kind }
  return { kind, group, resource, namespaced: found.namespaced }
}

/** v1 has been the one that everything is built against since it exists, whatever the group prefers. */
function preferred(versions: readonly string[]): string | undefined {
  return versions.find((version) => version === "v1") ?? versions[0]
}

/** For a request that fails for one kind or group only. */
export function problemOf(ended: AbortSignal) {
  return (error: unknown): KubernetesError => {
    if (error instanceof KubernetesError) return error
    ended.throwIfAborted()
    return new KubernetesError(explain(error), 0)
  }
}
