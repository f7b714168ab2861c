/** The fields of any object that are used here. */
export interface KubernetesObject {
  readonly metadata: ObjectMeta
}

export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** Names an object among those of its kind. */
export function keyOf({ metadata: { namespace = "", name } }: KubernetesObject): string {
  return `${namespace}/${name}`
}

/** A kind of objects in one version of it, as it stands in URLs. Its objects have the shape `T`: the API validates them. */
export interface Resource<T extends KubernetesObject = KubernetesObject> {
  /** "" for the core group. */
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly kind: string
  /** Never set: it only carries the type. */
  readonly object?: T
}

/** `apps/v1`, as it stands in objects. */
export function apiVersionOf({ group, version }: Resource): string {
  return group === "" ? version : `${group}/${version}`
}

/** A time as Events and Leases hold it. */
export const microTime = (time: Date): string => time.toISOString().replace("Z", "000Z")

/** One object of a resource. */
export interface ObjectAddress {
  /** undefined: the kind has no namespaces. */
  readonly namespace?: string | undefined
  readonly name: string
}

export type Verb = "get" | "list" | "watch" | "create" | "update" | "patch" | "delete"

export interface KubernetesRequest {
  readonly verb: Verb
  /** Below the server's address, with the query. */
  readonly path: string
  /** In words: `list endpointslices.discovery.k8s.io in the namespace opa`. */
  readonly description: string
  /** The rule of RBAC that allows it, as it stands in a Role. */
  readonly rule: string
  /** `httproutes.gateway.networking.k8s.io`, for what is no path of its own. */
  readonly resource?: string
  readonly body?: { readonly contentType: string; readonly value: unknown }
}

export interface RequestTarget {
  /** undefined: of the whole cluster. */
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
  readonly query?: Readonly<Record<string, string>>
}

/** A request for objects of a resource, or for one of them. */
export function requestFor(
  verb: Verb,
  { group, version, plural }: Resource,
  { namespace, name, subresource, query = {} }: RequestTarget,
  body?: KubernetesRequest["body"],
): KubernetesRequest {
  const segments = [
    ...(group === "" ? ["api", version] : ["apis", group, version]),
    ...(namespace === undefined ? [] : ["namespaces", namespace]),
    plural,
    ...[name, subresource].filter((segment) => segment !== undefined),
  ]
  const search = new URLSearchParams(query).toString()
  const sub = subresource === undefined ? "" : `/${subresource}`
  const named = `${plural}${group === "" ? "" : `.${group}`}${sub}`
  const words = [
    `${verb} ${named}`,
    ...(name === undefined ? [] : [name]),
    ...(namespace === undefined ? [] : [`in the namespace ${namespace}`]),
  ]
  return {
    verb,
    path: `/${segments.map(encodeURIComponent).join("/")}${search === "" ? "" : `?${search}`}`,
    description: words.join(" "),
    rule: `{apiGroups: ["${group}"], resources: [${plural}${sub}], verbs: [${verb}]}`,
    resource: named,
    ...(body === undefined ? {} : { body }),
  }
}
