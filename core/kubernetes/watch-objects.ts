import type { Closable } from "#core/closable.ts"
import { explain } from "#core/errors.ts"
import type { Logger } from "#core/log/logger.ts"
import { backoff, pause } from "#core/retry/backoff.ts"
import type { KubernetesApi } from "./api.ts"
import { KubernetesError } from "./errors.ts"
import { listObjects, type Scope } from "./list.ts"
import type { KubernetesObject } from "./resource.ts"
import { SILENCE, watchSince } from "./watch.ts"

export interface WatchOptions<T> extends Scope {
  /** What is remembered of an object: a large cluster's objects as a whole need not stay in memory. */
  readonly keep: (object: KubernetesObject) => T
  /** Called after `objects` or `problem` changed; it should do little. */
  readonly changed?: () => void
  readonly log: Logger
  /** Seconds without a byte after which a watch begins anew. */
  readonly silence?: number
}

export interface Watched<T> extends Closable {
  /** By namespace/name, whole as of some moment; undefined before the first list is complete. */
  objects(): ReadonlyMap<string, T> | undefined
  /** Why `objects` may be outdated or missing; undefined while a watch is open. */
  problem(): KubernetesError | undefined
  /** Settles when `objects` is there for the first time, or `problem` tells why not. Never rejects. */
  readonly first: Promise<void>
}

/** Failures in a row after which a watch is not tried again before everything is listed anew. */
const LIST_AFTER = 3
/** Milliseconds: a watch that is open for less is no success, so that one that ends at once is not begun at once. */
const SHORT = 1000

/** Keeps what a list gave up to date by a watch until closed, through restarts of the API and every failure. */
export function watchObjects<T>(api: KubernetesApi, options: WatchOptions<T>): Watched<T> {
  const { keep, changed, log, silence = SILENCE } = options
  const ending = new AbortController()
  const { signal } = ending
  const { promise: first, resolve: settle } = Promise.withResolvers<void>()
  let objects: Map<string, T> | undefined
  let version: string | undefined
  let problem: KubernetesError | undefined
  let failures = 0
  let since = Number.POSITIVE_INFINITY

  const tell = (next: KubernetesError | undefined): void => {
    const before = problem
    problem = next
    if (next !== undefined && next.message !== before?.message) log.warn({ reason: explain(next) }, "kubernetes fails")
    if (next === undefined && before !== undefined) log.info({ resource: options.resource.plural }, "kubernetes works")
    if (next !== before) changed?.()
    if (next !== undefined) settle()
  }
  const list = async (): Promise<string> => {
    const found = new Map<string, T>()
    const at = await listObjects(api, options, (object) => found.set(keyOf(object), keep(object)), signal)
    objects = found // whole or not at all
    changed?.()
    settle()
    return at
  }
  const follow = async (): Promise<void> => {
    version ??= await list()
    const opened = (): void => {
      since = performance.now()
      tell(undefined)
    }
    for await (const { type, object } of watchSince(api, options, version, signal, { opened, silence })) {
      version = object.metadata.resourceVersion ?? version
      if (type === "BOOKMARK") continue
      if (type === "DELETED") objects?.delete(keyOf(object))
      else objects?.set(keyOf(object), keep(object))
      changed?.()
    }
  }
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      let wait = 0
      since = Number.POSITIVE_INFINITY
      try {
        await follow()
        failures = performance.now() - since > SHORT ? 0 : failures + 1
        wait = failures === 0 ? 0 : backoff(failures)
      } catch (error) {
        if (signal.aborted) return
        failures = performance.now() - since > SHORT ? 1 : failures + 1
        const known = error instanceof KubernetesError ? error : new KubernetesError(explain(error), 0)
        // forgotten, or may list but not watch, or no way on from there, as after a backup of the API was restored
        if (known.answer === 410 || known.answer === 403 || failures >= LIST_AFTER) version = undefined
        if (known.answer !== 410) tell(known)
        wait = waitAfter(known, failures)
      }
      await pause(wait, signal)
    }
  }
  const running = run()
  return {
    objects: () => objects,
    problem: () => problem,
    first,
    async close() {
      ending.abort()
      settle()
      await running
    },
  }
}

function keyOf({ metadata: { namespace = "", name } }: KubernetesObject): string {
  return `${namespace}/${name}`
}

/**
 * Seconds. A version that was forgotten is at once listed anew, unless that happens again. Missing rights are waited for
 * like all else: an API that begins knows no roles yet.
 */
function waitAfter({ answer, retryAfter }: KubernetesError, failures: number): number {
  return answer === 410 && failures === 1 ? 0 : backoff(failures, { retryAfter })
}
