import type { KubernetesApi } from "./api.ts"
import { KubernetesError, noResponse, type Status, statusError } from "./errors.ts"
import { type ListScope, selectorOf } from "./list.ts"
import { type KubernetesObject, type KubernetesRequest, requestFor } from "./resource.ts"

/** The object of a bookmark has a version only. */
export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK"
  readonly object: T
}

/** Bytes of one event; etcd stores objects of up to 1.5 MB. */
const LARGEST_EVENT = 16_777_216
/** Seconds until the API ends a watch, different each time, so that watches do not all begin at the same moment. */
const LEAST = 240
const MORE = 240

/**
 * Events since a version until the API ends the watch, as it does after minutes. `opened` is called once it is accepted.
 * Throws KubernetesError, 410 where the version is forgotten.
 */
export async function* watchSince<T extends KubernetesObject>(
  api: KubernetesApi,
  scope: ListScope<T>,
  version: string,
  signal: AbortSignal,
  { opened, silence }: { readonly opened: () => void; readonly silence: number },
): AsyncGenerator<WatchEvent<T>> {
  const query = {
    ...selectorOf(scope),
    watch: "true",
    allowWatchBookmarks: "true",
    resourceVersion: version,
    timeoutSeconds: String(Math.round(LEAST + Math.random() * MORE)),
  }
  const request = requestFor("watch", scope.resource, { namespace: scope.namespace, query })
  using response = await api.stream(request, signal, silence)
  opened()
  try {
    for await (const line of linesOf(response.body, request)) {
      const event = parse<T>(line, request)
      if (event.type === "ERROR") throw statusError(request, event.object.code ?? 500, event.object)
      yield event
    }
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof KubernetesError ? error : noResponse(request, "the connection broke off", error)
  }
}

function parse<T>(
  line: string,
  request: KubernetesRequest,
): WatchEvent<T> | { readonly type: "ERROR"; readonly object: Status } {
  let event: { readonly type?: unknown; readonly object?: { readonly metadata?: unknown } } | null
  try {
    event = JSON.parse(line) as typeof event
  } catch (error) {
    throw noResponse(request, "an event is not JSON", error)
  }
  const known = ["ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"].includes(String(event?.type))
  const whole = event?.type === "ERROR" ? event.object : event?.object?.metadata
  if (!known || typeof whole !== "object") throw noResponse(request, "an event is of no known form")
  return event as WatchEvent<T>
}

/** What stands after the last line feed when the stream ends was torn off, and is left out. */
async function* linesOf(body: AsyncIterable<Buffer>, request: KubernetesRequest): AsyncGenerator<string> {
  let parts: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    let from = 0
    for (let to = chunk.indexOf(10); to >= 0; to = chunk.indexOf(10, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, to)]).toString("utf8")
      parts = []
      bytes = 0
      from = to + 1
    }
    const rest = chunk.subarray(from)
    bytes += rest.length
    if (bytes > LARGEST_EVENT) throw noResponse(request, `an event is larger than ${LARGEST_EVENT} bytes`)
    if (rest.length > 0) parts.push(rest)
  }
}
