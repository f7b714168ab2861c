import { backoff, pause } from "#core/retry/backoff.ts"
import type { KubernetesApi } from "./api.ts"
import { isConflict, KubernetesError } from "./errors.ts"
import { apiVersionOf, type KubernetesObject, type ObjectAddress, requestFor, type Resource } from "./resource.ts"

/** What a write is about beside the object: its status, for kinds that keep it apart. */
export interface WriteOptions {
  readonly subresource?: "status"
}

/** The object; undefined where there is none, or its kind is not served. */
export async function getObject<T extends KubernetesObject>(
  api: KubernetesApi,
  resource: Resource<T>,
  address: ObjectAddress,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return (await api.send(requestFor("get", resource, address), signal)) as T
  } catch (error) {
    if (error instanceof KubernetesError && error.statusCode === 404) return undefined
    throw error
  }
}

/** The object as the API made it. Throws 409 where one of its name exists. */
export async function createObject<T extends KubernetesObject>(
  api: KubernetesApi,
  resource: Resource<T>,
  object: T,
  signal: AbortSignal,
): Promise<T> {
  const { namespace } = object.metadata
  return (await api.send(requestFor("create", resource, { namespace }, json(resource, object)), signal)) as T
}

/** Replaces an object as a whole. Throws 409 where its resourceVersion is no longer the newest. */
export async function updateObject<T extends KubernetesObject>(
  api: KubernetesApi,
  resource: Resource<T>,
  object: T,
  signal: AbortSignal,
  { subresource }: WriteOptions = {},
): Promise<T> {
  const { name, namespace } = object.metadata
  return (await api.send(
    requestFor("update", resource, { name, namespace, subresource }, json(resource, object)),
    signal,
  )) as T
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

/** Changes parts of an object; it is the caller's matter that they follow from its newest version. */
export async function patchObject<T extends KubernetesObject>(
  api: KubernetesApi,
  resource: Resource<T>,
  { name, namespace }: ObjectAddress,
  patch: Patch,
  signal: AbortSignal,
  { subresource }: WriteOptions = {},
): Promise<T> {
  const apply = patch.type === "apply"
  const query = apply ? { fieldManager: patch.fieldManager, ...(patch.force === true ? { force: "true" } : {}) } : {}
  const body = {
    contentType: apply ? "application/apply-patch+yaml" : `application/${patch.type}-patch+json`,
    value: apply ? { ...typeMeta(resource), ...patch.value } : patch.value,
  }
  return (await api.send(requestFor("patch", resource, { name, namespace, subresource, query }, body), signal)) as T
}

export interface DeleteOptions {
  /** Only this object, not one that has its name meanwhile: 409 otherwise. */
  readonly uid?: string
  /** Only while it is as it was: 409 otherwise. */
  readonly resourceVersion?: string
  /** What becomes of the objects that it owns. */
  readonly propagation?: "Background" | "Foreground" | "Orphan"
}

/** False where there was no such object. One with finalizers is there until they are removed. */
export async function deleteObject(
  api: KubernetesApi,
  resource: Resource,
  address: ObjectAddress,
  signal: AbortSignal,
  { propagation, ...preconditions }: DeleteOptions = {},
): Promise<boolean> {
  const value = { preconditions, ...(propagation === undefined ? {} : { propagationPolicy: propagation }) }
  try {
    await api.send(requestFor("delete", resource, address, { contentType: "application/json", value }), signal)
    return true
  } catch (error) {
    if (error instanceof KubernetesError && error.statusCode === 404) return false
    throw error
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

const json = <T extends object>(resource: Resource, object: T) => ({
  contentType: "application/json",
  value: { ...typeMeta(resource), ...object },
})

const typeMeta = (resource: Resource) => ({ apiVersion: apiVersionOf(resource), kind: resource.kind })
