import type { ReadFailure } from "./failure.ts"
import type { OpaTarget } from "./target.ts"

/** How a digest is made: of the objects' names and resourceVersions, and the content of those without; or of all content. */
export type DigestKind = "resourceVersion" | "content"

/** What one OPA holds at one path. */
export type PathCount =
  | { readonly kind: "undefined" }
  /** Something without members, or that is computed by a policy and cannot be counted. */
  | { readonly kind: "uncountable"; readonly digest?: string }
  | {
      readonly kind: "counted"
      readonly keys: number
      /** Members of the members; undefined where only keys were counted. */
      readonly members: number | undefined
      readonly digest: string | undefined
    }

/** Members of namespaces where those were counted, else keys. */
export function itemsOf(pathCount: PathCount): number {
  return pathCount.kind === "counted" ? (pathCount.members ?? pathCount.keys) : 0
}

/** What is equal for two that may be the same: then digests tell. */
export const sizeOf = (pathCount: PathCount): string =>
  pathCount.kind === "counted" ? `${itemsOf(pathCount)} items` : pathCount.kind

/**
 * How much there is to lose: nothing was ever loaded, nothing is there, only namespaces are (or what has no members), a value
 * without members, or items.
 */
export function substanceOf(pathCount: PathCount): number {
  if (pathCount.kind === "undefined") return 0
  if (pathCount.kind === "uncountable") return 3
  return itemsOf(pathCount) > 0 ? 4 : pathCount.keys > 0 ? 2 : 1
}

/** Whether a path that is there holds nothing that counts. */
export const isEmpty = (pathCount: PathCount): boolean => pathCount.kind === "counted" && itemsOf(pathCount) === 0

export const digestIn = (pathCount: PathCount | undefined): string | undefined =>
  pathCount === undefined || pathCount.kind === "undefined" ? undefined : pathCount.digest

/** How an OPA is read: by an ad-hoc query, by the rules of an installed package, or by whole documents. */
export const READ_METHODS = ["query", "package", "documents"] as const
export type ReadMethod = (typeof READ_METHODS)[number]

/** All paths in their order, at one instant. (Documents are read one after another.) */
export interface Counts {
  readonly pathCounts: readonly PathCount[]
  /** Seconds that OPA itself reports for the request; undefined where it does not. */
  readonly opaSeconds: number | undefined
}

export interface OpaReading extends Counts {
  readonly method: ReadMethod
  /** Whether digests are among it, as far as OPA can make them. */
  readonly digests: boolean
  /** Seconds after which OPA failed because of digests, or was too late with them. */
  readonly digestsFailedAfter?: number
}

/** The result of reading one OPA in a collection. */
export interface ReadOutcome {
  readonly target: OpaTarget
  readonly result: OpaReading | ReadFailure
}

/** Those that were read, with all that stands beside. */
export const readIn = <T extends ReadOutcome>(outcomes: readonly T[]) =>
  outcomes.flatMap(({ result, ...rest }) => ("pathCounts" in result ? [{ ...rest, result }] : []))
export const unreadIn = <T extends ReadOutcome>(outcomes: readonly T[]) =>
  outcomes.flatMap(({ result, ...rest }) => ("pathCounts" in result ? [] : [{ ...rest, result }]))
