/** A kind of objects, as it stands in URLs and in RBAC rules. */
export interface Resource {
  /** "" for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
}

export interface Question {
  readonly verb: "get" | "list" | "watch"
  readonly resource: Resource
  /** undefined: of the whole cluster. */
  readonly namespace: string | undefined
  /** The one object that is asked for. */
  readonly name?: string
  readonly query?: Readonly<Record<string, string>>
}

/** Path and query below the server's address. */
export function pathOf({ resource: { group, version, plural }, namespace, name, query = {} }: Question): string {
  const segments = [
    ...(group === "" ? ["api", version] : ["apis", group, version]),
    ...(namespace === undefined ? [] : ["namespaces", namespace]),
    plural,
    ...(name === undefined ? [] : [name]),
  ]
  const search = new URLSearchParams(query).toString()
  return `/${segments.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`
}

/** `list endpointslices.discovery.k8s.io in the namespace opa`: the words that an RBAC rule needs. */
export function show({ verb, resource: { group, plural }, namespace, name }: Question): string {
  const kind = `${plural}${group === "" ? "" : `.${group}`}`
  return `${verb} ${kind}${name === undefined ? "" : ` ${name}`}${namespace === undefined ? "" : ` in the namespace ${namespace}`}`
}

/** The fields of any object's metadata that are used here. */
export interface KubernetesObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>>
  }
}
