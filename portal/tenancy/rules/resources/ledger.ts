import { isDeepStrictEqual } from "node:util"
import { FedstackError } from "#core/errors.ts"
import type { KubernetesApi } from "#core/kubernetes/api.ts"
import { isConflict, KubernetesError } from "#core/kubernetes/errors.ts"
import { objectsOf, retryOnConflict } from "#core/kubernetes/objects.ts"
import type { Ledger } from "../updater/ledger.ts"
import { ledgerConflict, noStatusSubresource, resourceGone } from "./errors.ts"
import { addFinalizer, removeFinalizer } from "./finalizer-patch.ts"
import { hasFinalizer, type RuleResource } from "./rule-resource.ts"
import type { ResourceSource } from "./source.ts"
import type { Condition, OwnedGroup, RuleStatus } from "./status.ts"
import { statusPatch } from "./status-patch.ts"
import { RULE_RESOURCES } from "./watch-resources.ts"

export interface LedgerOptions {
  /** Whether resources that own groups get our finalizer, without which those of a deleted one would stay for ever. */
  readonly finalizers: boolean
  readonly now: () => Date
  /** Called with each condition that has become another. */
  readonly changed: (resource: RuleResource, condition: Condition) => void
  /** Called after each write, and each that had to be repeated. */
  readonly wrote: (what: "status" | "finalizer") => void
  readonly conflicted: () => void
  /** Called with why no status at all can be written; undefined: one was. */
  readonly unwritable: (reason: string | undefined) => void
}

/** Keeps what resources own, and what is reported of them, in their statuses. One write at a time for each resource. */
export function createLedger(api: KubernetesApi, source: ResourceSource, options: LedgerOptions): Ledger {
  const objects = objectsOf(api, RULE_RESOURCES)
  /** What was written or read here and may not have come by the watch yet. */
  const newer = new Map<string, RuleResource>()
  /** What the caller knows to be stored: what is not known to it is not overwritten, however often it tries. */
  const known = new Map<string, readonly OwnedGroup[]>()
  const queues = new Map<string, Promise<unknown>>()

  const latest = (key: string): RuleResource | undefined => {
    const { resources, outside } = source.snapshot()
    const watched = resources.get(key) ?? outside?.get(key)
    const own = newer.get(key)
    if (own === undefined) return watched
    if (watched !== undefined && watched.metadata.uid === own.metadata.uid && isOlder(watched, own)) return own
    newer.delete(key)
    return watched
  }
  source.onChange(() => {
    const { resources, outside } = source.snapshot()
    for (const map of [newer, known])
      for (const key of map.keys()) if (!resources.has(key) && outside?.has(key) !== true) map.delete(key)
  })
  const inTurn = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const turn = (queues.get(key) ?? Promise.resolve()).then(work, work)
    const over = turn.catch(() => undefined)
    queues.set(key, over)
    void over.then(() => queues.get(key) === over && queues.delete(key))
    return turn
  }
  /** Of the same object: one that has its name meanwhile is another. */
  const reread = async (key: string, uid: string | undefined, signal: AbortSignal): Promise<RuleResource> => {
    options.conflicted()
    const found = await objects.get(addressOf(key), signal)
    if (found === undefined || found.metadata.uid !== uid) throw resourceGone({ resource: key })
    newer.set(key, found)
    return found
  }
  /** Writes what `change` makes of the newest version, again where another client was quicker. */
  const write = (
    key: string,
    signal: AbortSignal,
    change: (resource: RuleResource) => Promise<RuleResource | undefined>,
  ): Promise<RuleResource> =>
    inTurn(key, async () => {
      let resource = latest(key)
      if (resource === undefined) throw resourceGone({ resource: key })
      const { uid } = resource.metadata
      await retryOnConflict(async () => {
        try {
          const written = await change(resource as RuleResource)
          if (written === undefined) return
          newer.set(key, written)
          resource = written
        } catch (error) {
          if (isConflict(error)) resource = await reread(key, uid, signal)
          throw error
        }
      }, signal)
      return resource
    })
  const patchStatus = async (
    { metadata }: RuleResource,
    status: object,
    signal: AbortSignal,
  ): Promise<RuleResource> => {
    // another object that has the name meanwhile has another version as well
    const value = { metadata: { resourceVersion: metadata.resourceVersion }, status }
    try {
      const written = await objects.patch(metadata, { type: "merge", value }, signal, { subresource: "status" })
      options.wrote("status")
      options.unwritable(undefined)
      return written
    } catch (error) {
      throw isMissing(error) ? await explainMissing(metadata, signal) : error
    }
  }
  const explainMissing = async (metadata: RuleResource["metadata"], signal: AbortSignal): Promise<Error> => {
    const resource = `${metadata.namespace}/${metadata.name}`
    const found = await objects.get(metadata, signal)
    if (found?.metadata.uid !== metadata.uid) return resourceGone({ resource })
    const error = noStatusSubresource({})
    options.unwritable(error.message)
    return error
  }
  const patchFinalizers = async (
    { metadata }: RuleResource,
    patch: ReturnType<typeof addFinalizer>,
    signal: AbortSignal,
  ): Promise<RuleResource> => {
    const written = await objects.patch(metadata, { type: "json", value: patch }, signal)
    options.wrote("finalizer")
    return written
  }

  return {
    owned(key) {
      const owned = ownedOf(latest(key)?.status)
      known.set(key, owned)
      return owned
    },

    async record(key, owned, signal) {
      await write(key, signal, async (resource) => {
        const stored = ownedOf(resource.status)
        const base = known.get(key) ?? stored
        known.set(key, base)
        if (isDeepStrictEqual(stored, owned)) return undefined
        if (!isDeepStrictEqual(stored, base)) throw ledgerConflict({ resource: key })
        const isLeft = hasFinalizer(resource) || resource.metadata.deletionTimestamp !== undefined
        const guarded =
          !options.finalizers || owned.length === 0 || isLeft
            ? resource
            : await patchFinalizers(resource, addFinalizer(resource), signal)
        return patchStatus(guarded, { owned }, signal)
      })
      known.set(key, owned)
    },

    async report(key, status, signal) {
      let changed: readonly Condition[] = []
      const resource = await write(key, signal, async (current) => {
        const change = statusPatch(
          current.status,
          status,
          options
            .now()
            .toISOString()
            .replace(/\.\d+Z$/, "Z"),
        )
        if (change === undefined) return undefined
        changed = change.changed
        return patchStatus(current, change.patch, signal)
      })
      for (const condition of changed) options.changed(resource, condition)
    },

    async release(key, signal) {
      await write(key, signal, async (resource) => {
        if (!hasFinalizer(resource)) return undefined
        return patchFinalizers(resource, removeFinalizer(resource), signal)
      }).catch((error: unknown) => {
        if (!isMissing(error) && !isGone(error)) throw error
      })
    },
  }
}

const isMissing = (error: unknown): boolean => error instanceof KubernetesError && error.statusCode === 404
const isGone = (error: unknown): boolean => error instanceof FedstackError && error.code === "RESOURCE_GONE"

/** Names of both have no slash. */
function addressOf(key: string): { readonly namespace: string; readonly name: string } {
  const [namespace = "", name = ""] = key.split("/")
  return { namespace, name }
}

/** Versions of one kind are numbers that grow; https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions */
function isOlder(one: RuleResource, other: RuleResource): boolean {
  const [a, b] = [one, other].map(({ metadata }) => metadata.resourceVersion ?? "") as [string, string]
  return a.length === b.length ? a < b : a.length < b.length
}

/** The CRD may be one that checks nothing, and others may write there. */
export function ownedOf(status: RuleStatus | undefined): readonly OwnedGroup[] {
  const owned: unknown = status?.owned
  return Array.isArray(owned) ? (owned as readonly unknown[]).filter(isOwnedGroup) : []
}

function isOwnedGroup(value: unknown): value is OwnedGroup {
  const { ruler, namespace, group, tenants } = (value ?? {}) as Partial<Record<keyof OwnedGroup, unknown>>
  const isNamed = [ruler, namespace, group].every((part) => typeof part === "string")
  return isNamed && Array.isArray(tenants) && tenants.every((tenant) => typeof tenant === "string")
}
