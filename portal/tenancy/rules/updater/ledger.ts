import type { OwnedGroup, ReportedStatus } from "../resources/status.ts"

/**
 * What survives a restart: which groups each resource has at the rulers. Written before a group is created, and after it
 * was deleted, so that what is listed may be missing at the ruler, and nothing that was written is missing in the list.
 */
export interface Ledger {
  /** Of the resource as last seen; its key is namespace/name. */
  owned(resource: string): readonly OwnedGroup[]
  /** Replaces what the resource owns; resolves when it is stored. Throws where it is not, or the resource is another by now. */
  record(resource: string, owned: readonly OwnedGroup[], signal: AbortSignal): Promise<void>
  /** All else of the status, which is written only where it differs; conditions that changed become Events. */
  report(resource: string, status: ReportedStatus, signal: AbortSignal): Promise<void>
  /** The resource is being deleted and owns nothing any more: our finalizer goes. */
  release(resource: string, signal: AbortSignal): Promise<void>
}
