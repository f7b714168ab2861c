import type { KubernetesApi } from "./api.ts"
import { undefinedIfMissing } from "./errors.ts"
import type { KubernetesRequest } from "./resource.ts"

/** A kind as the API serves it now. */
export interface ServedKind {
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** The group's preferred version first, where it has this kind, and then the newest. */
  readonly versions: readonly string[]
}

/** The kinds of a group by their plural; none where the group is not installed. */
export async function discoverKinds(
  api: KubernetesApi,
  group: string,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, ServedKind>> {
  const kinds = new Map<string, ServedKind>()
  for (const version of await versionsOf(api, group, signal)) {
    const path = group === "" ? `/api/${version}` : `/apis/${encodeURIComponent(group)}/${version}`
    const found = (await discover(api, path, signal)) as ResourceList | undefined
    for (const { name, kind, namespaced } of found?.resources ?? []) {
      if (name.includes("/")) continue // a subresource
      const versions = [...(kinds.get(name)?.versions ?? []), version]
      kinds.set(name, { plural: name, kind, namespaced, versions })
    }
  }
  return kinds
}

interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
}

/** Those that are served, the preferred one first. */
async function versionsOf(api: KubernetesApi, group: string, signal: AbortSignal): Promise<readonly string[]> {
  if (group === "") return ["v1"]
  const found = (await discover(api, `/apis/${encodeURIComponent(group)}`, signal)) as ApiGroup | undefined
  const preferred = found?.preferredVersion?.version
  const served = (found?.versions ?? []).map(({ version }) => version)
  return served.toSorted((a, b) => Number(b === preferred) - Number(a === preferred))
}

interface ApiGroup {
  readonly preferredVersion?: { readonly version: string }
  /** The newest first, stable ones before others. */
  readonly versions?: readonly { readonly version: string }[]
}

/** undefined where there is nothing. */
function discover(api: KubernetesApi, path: string, signal: AbortSignal): Promise<unknown> {
  const request: KubernetesRequest = {
    verb: "get",
    path,
    description: `read which kinds it serves (${path})`,
    rule: `{nonResourceURLs: ["${path}"], verbs: [get]}`,
  }
  return api.send(request, signal).catch(undefinedIfMissing)
}
