import type { Family } from "./family.ts"

/** A kind of objects and what is exported of it: one file of `kinds/` each. */
export interface Kind {
  readonly kind: string
  readonly plural: string
  /** One kind may have moved from one group to another: each is looked for. */
  readonly groups: readonly string[]
  /** Begins the names of its families: `gatewayapi_httproute`. */
  readonly prefix: string
  /** Labels of every sample beside name and namespace, and the fields of the object that they are read from. */
  readonly labels?: Readonly<Record<string, string>>
  readonly families: readonly Family[]
}

export const GATEWAY_API = "gateway.networking.k8s.io"
export const GATEWAY_API_EXPERIMENTAL = "gateway.networking.x-k8s.io"
export const KUADRANT = "kuadrant.io"
export const KUADRANT_EXTENSIONS = "extensions.kuadrant.io"

/** A kind whose families are named after it, as the predecessor named them. */
export function kind(name: string, plural: string, families: readonly Family[], groups = [GATEWAY_API]): Kind {
  return { kind: name, plural, groups, prefix: `gatewayapi_${name.toLowerCase()}`, families }
}
