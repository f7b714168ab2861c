import type { TenantId } from "../../tenants/tenant.ts"
import type { Counts } from "../message/counts.ts"
import type { Version } from "../message/version.ts"
import type { Ignored } from "./ignored.ts"
import type { Rejected, RejectionKinds } from "./rejections.ts"

/**
 * An upstream body under construction. Of several senders' slices one body can be made: protobuf messages may be
 * concatenated, and so may the elements of snappy blocks, whose copies point backwards.
 */
export interface Batch {
  readonly version: Version
  /** Symbols so far (version 2), the empty one included. */
  symbols: number
  /** Of `chunks`, uncompressed. */
  decodedBytes: number
  /** Snappy elements, without the length that a block begins with. */
  readonly chunks: Buffer[]
}

/** What of one request belongs to one tenant and group. */
export interface Slice {
  readonly version: Version
  readonly tenant: TenantId
  /** Values of the group's labels, joined: slices of different groups must not share a request. */
  readonly group: string
  readonly series: number
  readonly metadata: number
  readonly counts: Counts
  /** Bytes that it takes uncompressed, about. */
  readonly bytes: number
  /** Can be called again, for another batch: a slice that shared a refused request is sent alone. */
  appendTo(batch: Batch): void
}

export interface Split {
  /** All that the request has. */
  readonly received: Counts
  readonly slices: readonly Slice[]
  /** Bounded: the first reasons of each tenant. */
  readonly rejected: readonly Rejected[]
  /** All of the rejected, also those without a line of their own. */
  readonly rejectedSeries: number
  /** The same series, by what is wrong. */
  readonly rejectedKinds: RejectionKinds
  readonly rejectedCounts: Counts
  /** Series that no label gives a tenant, so that they go to the default tenants alone. */
  readonly seriesByDefault: number
  readonly ignored: Ignored
  /** Of all series. */
  readonly labels: number
  /** Records of metadata (version 1) that no tenant is known to have series for: not sent, and nothing is wrong with them. */
  readonly unclaimedMetadata: number
}
