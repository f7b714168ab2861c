import type { Sending } from "#core/http/client-credentials.ts"
import type { PageNeeds } from "./content-policy.ts"
import type { Decide } from "./decision.ts"

/** The type of bodies that are written anew. */
export const FORM = "application/x-www-form-urlencoded"

/** A server whose pages are passed through below a prefix, under which it knows itself too. */
export interface Passed {
  /** For people, such as Prometheus. */
  readonly name: string
  /** Such as /prometheus. */
  readonly prefix: string
  /** Its path is the prefix. */
  readonly url: URL
  /** Other addresses under which it may know itself. */
  readonly also: readonly URL[]
  readonly sending: () => Sending
  readonly decide: Decide
  readonly pages: PageNeeds
  /** The media type that bodies have, and the bytes that they may have. */
  readonly bodies: { readonly type: string; readonly limit: number }
  /** Headers that are passed on besides those for all. */
  readonly headers?: readonly string[]
  /** The header by which it learns who the user is. */
  readonly userHeader?: string
}
