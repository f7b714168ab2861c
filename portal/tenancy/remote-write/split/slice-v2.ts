import type { TenantId } from "../../tenants/tenant.ts"
import type { Counts } from "../message/counts.ts"
import type { Portion } from "./portion-v2.ts"
import type { Batch, Slice } from "./slice.ts"
import type { WriterV2 } from "./write-v2.ts"

/** Series of a message of version 2 that belong to one tenant and group. They are written when a request is made of them. */
export class SliceV2 implements Slice {
  readonly version = 2
  readonly tenant: TenantId
  readonly group: string
  readonly series: number
  readonly metadata: number
  readonly counts: Counts
  readonly bytes: number
  readonly #portion: Portion
  readonly #writer: WriterV2

  constructor(tenant: TenantId, group: string, portion: Portion, writer: WriterV2) {
    this.tenant = tenant
    this.group = group
    this.series = portion.series.length
    this.metadata = portion.metadata
    this.counts = { samples: portion.samples, histograms: portion.histograms, exemplars: portion.exemplars }
    this.bytes = portion.bytes
    this.#portion = portion
    this.#writer = writer
  }

  appendTo(batch: Batch): void {
    this.#writer.append(this.#portion, batch)
  }
}
