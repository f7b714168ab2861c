import type { ReadFailure } from "./failure.ts"
import type { Target } from "./target.ts"

/** How a digest is made: of the objects' names and resourceVersions, or of all their content. */
export type DigestKind = "resourceVersion" | "content"

/** What stands at one path of one OPA. */
export type Place =
  | { readonly kind: "undefined" }
  /** Something without members, or that is computed by a policy and can't be counted. */
  | { readonly kind: "uncountable" }
  | {
      readonly kind: "counted"
      readonly keys: number
      /** Members of the members; undefined where only keys were counted. */
      readonly members: number | undefined
      readonly digest: string | undefined
    }

/** In which way an OPA is read: an ad-hoc query, the rules of an installed package, or whole documents. */
export const WAYS = ["query", "package", "documents"] as const
export type Way = (typeof WAYS)[number]

/** All paths of one OPA at one instant, in the order of the paths. (Documents are read one after another.) */
export interface Reading {
  readonly places: readonly Place[]
  readonly way: Way
  /** Seconds that OPA itself says it took; undefined where it does not say. */
  readonly opaSeconds: number | undefined
  /** Whether digests are among it, as far as OPA can make them. */
  readonly digests: boolean
  /** Seconds after which digests were given up, where OPA failed over them or had not made them in time. */
  readonly gaveUpAfter?: number
}

/** How one OPA fared in a collection. */
export interface Outcome {
  readonly target: Target
  readonly result: Reading | ReadFailure
}
