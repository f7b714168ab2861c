import type { LeaseHolder } from "#core/kubernetes/lease.ts"
import type { ResourceSnapshot } from "./resources/source.ts"
import type { Updater } from "./updater/updater.ts"

interface State {
  readonly snapshot: ResourceSnapshot
  readonly lease: Pick<LeaseHolder, "isHeld" | "holder" | "problem">
  /** undefined: it does not run here. */
  readonly updater: ReturnType<Updater["state"]> | undefined
  /** Why no status can be written, and so no group; undefined: nothing is known to hinder. */
  readonly unwritable: string | undefined
}

/** In a sentence; a passive replica that could take over is ready. */
export function whyNotReady({ snapshot, lease, updater, unwritable }: State): string | undefined {
  const [unknown] = snapshot.incomplete
  if (unknown !== undefined) {
    const [namespace, reason] = unknown
    return `The resources of ${namespace === "" ? "all namespaces" : `the namespace ${namespace}`} are not known: ${reason}.`
  }
  const problem = lease.problem()
  if (problem !== undefined) return `The Lease cannot be held: ${problem}.`
  if (!lease.isHeld()) return lease.holder() === "" ? "No replica holds the Lease yet." : undefined
  if (unwritable !== undefined) return `No group is written: ${unwritable}.`
  if (updater === undefined || updater.isComplete) return undefined
  const [failing] = updater.failing
  if (failing === undefined) return "Not all tenants have been compared with their rulers yet."
  return `The rules of ${failing.tenant} at ${failing.ruler} are not known: ${failing.fault}.`
}
