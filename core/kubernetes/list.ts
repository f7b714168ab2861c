import type { KubernetesApi } from "./api.ts"
import { noResponse } from "./errors.ts"
import { type KubernetesObject, requestFor, type Resource } from "./resource.ts"

export interface ListScope<T extends KubernetesObject> {
  readonly resource: Resource<T>
  /** undefined: all namespaces. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
}

/** Objects of a page. */
const PAGE = 500

/**
 * Hands over every object, page by page: what is not kept by `each` is not kept. All pages are of one version, which is
 * returned. Throws KubernetesError, 410 where that version was forgotten in between.
 */
export async function listObjects<T extends KubernetesObject>(
  api: KubernetesApi,
  scope: ListScope<T>,
  each: (object: T) => void,
  signal: AbortSignal,
): Promise<string> {
  const fetchPage = async (next: string): Promise<WholePage<T>> => {
    const query = { ...selectorOf(scope), limit: String(PAGE), ...(next === "" ? {} : { continue: next }) }
    const request = requestFor("list", scope.resource, { namespace: scope.namespace, query })
    const { items, metadata } = (await api.send(request, signal)) as Page<T>
    if (!Array.isArray(items) || typeof metadata?.resourceVersion !== "string") {
      throw noResponse(request, "the response is no list of objects: is this a Kubernetes API?")
    }
    return { items: items as readonly T[], version: metadata.resourceVersion, next: metadata.continue ?? "" }
  }
  let fetching = fetchPage("")
  for (;;) {
    const { items, version, next } = await fetching
    // the API makes the next page while this one is worked on
    if (next !== "") fetching = fetchPage(next)
    fetching.catch(() => undefined) // as it may fail before it is waited for
    for (const object of items) each(object)
    if (next === "") return version
  }
}

interface WholePage<T> {
  readonly items: readonly T[]
  readonly version: string
  readonly next: string
}

interface Page<T> {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items?: readonly T[]
}

export function selectorOf({ labelSelector = "" }: { readonly labelSelector?: string | undefined }) {
  return labelSelector === "" ? {} : { labelSelector }
}
