import type { KubernetesApi } from "./api.ts"
import { noAnswer } from "./errors.ts"
import type { KubernetesObject, Question, Resource } from "./resource.ts"

export interface Scope {
  readonly resource: Resource
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
export async function listObjects(
  api: KubernetesApi,
  scope: Scope,
  each: (object: KubernetesObject) => void,
  signal: AbortSignal,
): Promise<string> {
  let next = ""
  for (;;) {
    const query = { ...selectorOf(scope), limit: String(PAGE), ...(next === "" ? {} : { continue: next }) }
    const question: Question = { verb: "list", resource: scope.resource, namespace: scope.namespace, query }
    const page = (await api.read(question, signal)) as Page
    if (!Array.isArray(page.items) || typeof page.metadata?.resourceVersion !== "string") {
      throw noAnswer(question, "the answer is no list of objects: is this a Kubernetes API?")
    }
    for (const object of page.items) each(object)
    next = page.metadata.continue ?? ""
    if (next === "") return page.metadata.resourceVersion
  }
}

interface Page {
  readonly metadata?: { readonly resourceVersion?: string; readonly continue?: string }
  readonly items?: readonly KubernetesObject[]
}

export function selectorOf({ labelSelector }: Scope): Readonly<Record<string, string>> {
  return labelSelector === undefined || labelSelector === "" ? {} : { labelSelector }
}
