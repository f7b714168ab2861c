import type { Closable } from "#core/closable.ts"

/** One OPA: a pod, or a server outside of Kubernetes. Replicas that should agree have the same namespace and service. */
export interface OpaTarget {
  /** The pod's name; of a server outside of Kubernetes its address and port. Unique within its namespace and service. */
  readonly pod: string
  /** "" where it is not known. */
  readonly node: string
  readonly namespace: string
  readonly service: string
  /** A host name or IP address, IPv6 without brackets. */
  readonly address: string
  readonly port: number
  /** Undefined where it is not known: then --opa-scheme decides. */
  readonly scheme: "http" | "https" | undefined
  /** What comes before `/v1` in its URLs, without a slash at its end: "" but behind a reverse proxy. */
  readonly path: string
  /** Whether its service sends requests to it. */
  readonly ready: boolean
}

/** The OPAs there are, kept up to date until closed. */
export interface OpaTargets extends Closable {
  /** As of now; never a part of what is known. */
  current(): readonly OpaTarget[]
  /** Why `current` may be outdated or empty, in a sentence: "Kubernetes refused to list endpointslices in opa (403): …". */
  problem(): string | undefined
  /** Services that there are, and have no pods. */
  withoutPods(): readonly Service[]
  /** Resolves when `current` is known for the first time, or `problem` explains why it is not. Never rejects. */
  readonly first: Promise<void>
}

export type Service = Pick<OpaTarget, "namespace" | "service">

/** Names of namespaces and services have no slashes; of servers outside of Kubernetes all have the same. */
export const serviceKey = ({ namespace, service }: Service): string => `${namespace}/${service}`
/** A pod that came back under another address is another one. */
export const instanceKey = (target: OpaTarget): string =>
  `${serviceKey(target)}/${target.pod} ${target.address} ${target.port}`

/** OPAs that are named by their URLs. `service` and `namespace` are their labels. */
export function urlTargets(urls: readonly URL[], namespace: string, service: string): OpaTargets {
  const targets = new Map(
    urls.map((url): [string, OpaTarget] => {
      const scheme = url.protocol === "http:" ? "http" : "https"
      const port = url.port === "" ? (scheme === "http" ? 80 : 443) : Number(url.port)
      const path = url.pathname.replace(/\/+$/, "")
      const pod = `${url.hostname}:${port}${path}`
      const address = url.hostname.replaceAll(/[[\]]/g, "")
      return [pod, { pod, node: "", namespace, service, address, port, scheme, path, ready: true }]
    }),
  )
  const list = [...targets.values()]
  return {
    current: () => list,
    problem: () => undefined,
    withoutPods: () => [],
    first: Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
