import type { Credentials } from "#core/auth/authenticate.ts"
import type { Owner } from "#core/auth/owner.ts"
import type { Fault } from "#core/errors.ts"
import type { RequestLimits } from "#core/limits/client-limits.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import type { SeriesRules } from "./series-rules.ts"

/** Infinity: without limit. */
export interface SenderLimits extends RequestLimits {
  /** Bytes of its requests that are being received, split or forwarded, as they were sent. */
  readonly bytesInFlight: number
  readonly samplesPerSecond: number
}

/** Who may write what. Equal names share limits and metrics: there are as many as entries in the files. */
export interface Sender extends Owner {
  /** All that it writes is for this one, whatever its labels are. */
  readonly tenant: TenantId | undefined
  /** It may write for these only; undefined: for all that there are. */
  readonly tenants: ReadonlySet<TenantId> | undefined
  /** Undefined: its series are forwarded as it wrote them. */
  readonly rules: SeriesRules | undefined
  readonly limits: SenderLimits
  /** Why all that it writes is refused for now, as a whole sentence. */
  readonly paused: string | undefined
  /** Where it was written: `senders.yaml:4:5 senders[0]`. */
  readonly where: string
}

/** All that requests are authenticated with; replaced as a whole. */
export interface Senders extends Credentials<Sender> {
  readonly senders: readonly Sender[]
  /** What is in force and may yet be a mistake. */
  readonly warnings: readonly Fault[]
}
