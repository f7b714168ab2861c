import { type Parse, Wrong } from "#core/config/settings.ts"

/** A place in OPA's data, such as kubernetes/services. */
export interface DataPath {
  /** As the user wrote it; the label `data_path`. */
  readonly name: string
  readonly segments: readonly string[]
}

/** What is counted at one path. */
export interface Counted extends DataPath {
  /** Its keys, as items of the cluster. */
  readonly cluster: boolean
  /** The keys of its keys, as items in namespaces. */
  readonly namespaced: boolean
}

/** Segments between slashes; `%2F` is a slash within one, as in OPA's own URLs. */
export const dataPath: Parse<DataPath> = (text) => {
  const name = text.trim().replaceAll(/^\/+|\/+$/g, "")
  if (name === "") return new Wrong("must be a path such as kubernetes/services")
  const parts = name.split("/")
  if (parts.includes("")) return new Wrong("must not have two slashes side by side")
  const segments = decode(parts)
  if (segments === undefined) return new Wrong("must have two hexadecimal digits after %")
  // no URL can hold them: they are resolved before it is sent
  if (segments.includes(".") || segments.includes("..")) return new Wrong("must not have . or .. between slashes")
  return { name, segments }
}

function decode(parts: readonly string[]): readonly string[] | undefined {
  try {
    return parts.map(decodeURIComponent)
  } catch {
    return undefined
  }
}

/** Each path once, in the order of the lists; one that is in both is counted as both. */
export function countedPaths(cluster: readonly DataPath[], namespaced: readonly DataPath[]): readonly Counted[] {
  const paths = new Map<string, DataPath>([...cluster, ...namespaced].map((path) => [path.name, path]))
  return [...paths.values()].map((path) => ({
    ...path,
    cluster: cluster.some(({ name }) => name === path.name),
    namespaced: namespaced.some(({ name }) => name === path.name),
  }))
}

export function urlPath(segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("")
}
