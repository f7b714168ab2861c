import type { WantedFormat } from "../format/negotiate.ts"
import type { Metadata } from "../format/metadata.ts"

/** What was read of one tenant, as a block of snappy. */
export interface PageBlock {
  readonly block: Uint8Array
  /** What its series are told apart by where a client reads several tenants. */
  readonly label: readonly [name: string, value: string] | undefined
}

/** What the pages of one response have in common. */
export interface ResponseOptions {
  readonly wanted: WantedFormat
  readonly timestamps: boolean
  readonly gzip: boolean
  /** The most that it may have. */
  readonly series: number
}

/** The numbers are those of responses, or of metadata. */
export type ToThread =
  | { readonly kind: "metadata"; readonly id: number; readonly metadata: Metadata }
  | { readonly kind: "forget"; readonly id: number }
  | {
      readonly kind: "open"
      readonly id: number
      readonly options: ResponseOptions
      readonly metadata: readonly number[]
    }
  | { readonly kind: "page"; readonly id: number; readonly blocks: readonly PageBlock[] }
  | { readonly kind: "end"; readonly id: number }
  /** These bytes of it were received: as much more may be sent. */
  | { readonly kind: "received"; readonly id: number; readonly bytes: number }
  /** The rest is not wanted. */
  | { readonly kind: "cancel"; readonly id: number }

/** An error as plain data; one that is no FedstackError as it is. */
export type PlainError = { readonly code: string; readonly status: number; readonly message: string } | Error

export type FromThread =
  /** It has run: what ends it from now on is what it writes. */
  | { readonly kind: "ready" }
  /** `series`: of the response so far. */
  | { readonly kind: "chunk"; readonly id: number; readonly chunk: Uint8Array; readonly series: number }
  /** A page, or the end, is written, and its memory is free; `read`: series of the page, with those that are not shown. */
  | { readonly kind: "done"; readonly id: number; readonly series: number; readonly read: number }
  /** Instead of `done`: nothing more comes of this response. */
  | { readonly kind: "failed"; readonly id: number; readonly error: PlainError }

/** Bytes that may be moved to another thread, without what else is in their memory: moved where they have it alone, else copied. */
export function movable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes
  const alone = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
  return alone ? new Uint8Array(buffer) : new Uint8Array(bytes)
}
