import { backoff, pause } from "#core/retry/backoff.ts"
import type { KubernetesApi } from "./api.ts"
import { isConflict, undefinedIfMissing } from "./errors.ts"
import {
  apiVersionOf,
  type KubernetesObject,
  type ObjectAddress,
  requestFor,
  type RequestTarget,
  type Resource,
  type Verb,
} from "./resource.ts"

/** What a write is about beside the object: its status, for kinds that keep it apart. */
export interface WriteOptions {
  readonly subresource?: "status"
}

/** See https://kubernetes.io/docs/reference/using-api/api-concepts/#patch-and-update */
export type Patch =
  | { readonly type: "merge"; readonly value: object }
  | { readonly type: "json"; readonly value: readonly JsonOperation[] }
  /** Server-side apply: the fields in `value` are the manager's from then on. `force` overrides other managers. */
  | { readonly type: "apply"; readonly value: object; readonly fieldManager: string; readonly force?: boolean }

/** RFC 6902. A failed `test` is a 422. */
export interface JsonOperation {
  readonly op: "add" | "remove" | "replace" | "test"
  readonly path: string
  readonly value?: unknown
}

export interface DeleteOptions {
  /** Only this object, not one that has its name meanwhile: 409 otherwise. */
  readonly uid?: string
  /** Only while it is as it was: 409 otherwise. */
  readonly resourceVersion?: string
  /** What becomes of the objects that it owns. */
  readonly propagation?: "Background" | "Foreground" | "Orphan"
}

/** Reads and writes objects of one kind, one at a time. Methods throw KubernetesError. */
export function objectsOf<T extends KubernetesObject>(api: KubernetesApi, resource: Resource<T>) {
  const typed = (object: object) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind, ...object })
  const send = async (
    verb: Verb,
    target: RequestTarget,
    signal: AbortSignal,
    value?: unknown,
    contentType = "application/json",
  ): Promise<T> => {
    const body = value === undefined ? undefined : { contentType, value }
    return (await api.send(requestFor(verb, resource, target, body), signal)) as T
  }

  return {
    /** undefined where there is none, or its kind is not served. */
    get: (address: ObjectAddress, signal: AbortSignal): Promise<T | undefined> =>
      send("get", address, signal).catch(undefinedIfMissing),

    /** The object as the API made it. Throws 409 where one of its name exists. */
    create: (object: T, signal: AbortSignal): Promise<T> =>
      send("create", { namespace: object.metadata.namespace }, signal, typed(object)),

    /** Replaces an object as a whole. Throws 409 where its resourceVersion is no longer the newest. */
    update(object: T, signal: AbortSignal, { subresource }: WriteOptions = {}): Promise<T> {
      const { name, namespace } = object.metadata
      return send("update", { name, namespace, subresource }, signal, typed(object))
    },

    /** Changes parts of an object; it is the caller's matter that they follow from its newest version. */
    patch(address: ObjectAddress, patch: Patch, signal: AbortSignal, { subresource }: WriteOptions = {}): Promise<T> {
      const { name, namespace } = address
      const target = { name, namespace, subresource }
      const { type, value } = patch
      if (type !== "apply") return send("patch", target, signal, value, `application/${type}-patch+json`)
      const query = { fieldManager: patch.fieldManager, ...(patch.force === true ? { force: "true" } : {}) }
      return send("patch", { ...target, query }, signal, typed(value), "application/apply-patch+yaml")
    },

    /** False where there was no such object. One with finalizers exists until they are removed. */
    async delete(
      address: ObjectAddress,
      signal: AbortSignal,
      { propagation, ...preconditions }: DeleteOptions = {},
    ): Promise<boolean> {
      const value = { preconditions, ...(propagation === undefined ? {} : { propagationPolicy: propagation }) }
      return (await send("delete", address, signal, value).catch(undefinedIfMissing)) !== undefined
    },
  }
}

const ATTEMPTS = 5

/** For an `attempt` that reads an object and writes it: once more when it was changed in between, a few times. */
export async function retryOnConflict<T>(attempt: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt()
    } catch (error) {
      if (!isConflict(error) || failures === ATTEMPTS) throw error
      await pause(backoff(failures, { least: 0.05 }), signal)
      signal.throwIfAborted()
    }
  }
}
