import { randomBytes } from "node:crypto"
import { LRUCache } from "lru-cache"
import { Counter, type Registry } from "prom-client"
import { explain } from "#core/errors.ts"
import { logChanges } from "#core/log/changes.ts"
import type { Logger } from "#core/log/logger.ts"
import { doneWithin } from "#core/retry/deadline.ts"
import type { KubernetesApi } from "./api.ts"
import { KubernetesError } from "./errors.ts"
import { objectsOf } from "./objects.ts"
import { apiVersionOf, type KubernetesObject, microTime, type Resource } from "./resource.ts"

/** What `kubectl describe` shows below an object. */
export interface EventDetails {
  readonly type: "Normal" | "Warning"
  /** Why, in one word of CamelCase that programs understand: `RuleInvalid`. */
  readonly reason: string
  /** What was done, or failed, in one such word: `Synchronise`. */
  readonly action: string
  /** For people. Longer ones than 1,024 bytes are cut. */
  readonly note: string
}

export interface RecorderOptions {
  /** Who records: `fedstack.example.org/rules-informer`. */
  readonly controller: string
  /** Which of its replicas: the name of the pod. */
  readonly instance: string
  readonly log: Logger
  readonly registry: Registry
  readonly now: () => Date
}

/** https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/ */
interface EventObject extends KubernetesObject, EventDetails {
  readonly eventTime: string
  readonly reportingController: string
  readonly reportingInstance: string
  readonly regarding: object
  readonly series?: { readonly count: number; readonly lastObservedTime: string }
}

const EVENTS: Resource<EventObject> = { group: "events.k8s.io", version: "v1", plural: "events", kind: "Event" }

/** Milliseconds after its last occurrence in which an Event counts as the same one, as in Kubernetes' own clients. */
const SERIES = 360_000
const MOST_SERIES = 1000
/** Events that wait to be written: an API that is away or slow must not fill the memory. */
const MOST_WAITING = 1000
const LONGEST_NOTE = 1024
/** Seconds. */
const CLOSE_DEADLINE = 3

/** Occurrences of one Event. */
interface EventSeries {
  readonly event: EventObject
  count: number
  last: Date
  /** Occurrences that the API knows; 0 where the Event is still to be created. */
  written: number
  waiting: boolean
}

/** Writes Events one after the other; repeated ones become one with a count. Some may wait, more are dropped and counted. */
export function recordEvents(api: KubernetesApi, { controller, instance, log, registry, now }: RecorderOptions) {
  const recent = new LRUCache<string, EventSeries>({ max: MOST_SERIES, ttl: SERIES, updateAgeOnGet: true })
  const events = objectsOf(api, EVENTS)
  const ending = new AbortController()
  let queue = Promise.resolve()
  let waiting = 0
  const dropped = new Counter({
    name: "fedstack_kubernetes_events_dropped_total",
    help: "Kubernetes Events that were not written, because the API refused them or too many waited.",
    labelNames: ["reason"],
    registers: [registry],
  })
  for (const reason of ["refused", "queue_full"]) dropped.inc({ reason }, 0)
  const logFull = logChanges((isFull: true | undefined) => {
    if (isFull) log.warn({ waiting: MOST_WAITING }, "too many Kubernetes Events wait to be written, dropping new ones")
    else log.info("Kubernetes Events are written again")
  })

  async function write(key: string, series: EventSeries): Promise<void> {
    series.waiting = false
    const { count, last, event } = series
    const repeated = count === 1 ? {} : { series: { count, lastObservedTime: microTime(last) } }
    try {
      if (series.written === 0) await events.create({ ...event, ...repeated }, ending.signal)
      else await events.patch(event.metadata, { type: "merge", value: repeated }, ending.signal)
      series.written = count
    } catch (error) {
      recent.delete(key)
      // the API keeps Events for an hour
      if (error instanceof KubernetesError && error.statusCode === 404 && series.written > 0) {
        recent.set(key, (series = { ...series, event: renamed(event), written: 0 }))
        return write(key, series)
      }
      dropped.inc({ reason: "refused" })
      log.warn({ reason: explain(error) }, "writing a Kubernetes Event failed, it is dropped")
    }
  }

  return {
    /** Returns at once. An Event that cannot be written is logged, counted and dropped: nothing depends on it. */
    record(resource: Resource, { metadata }: KubernetesObject, details: EventDetails): void {
      const { name, namespace, uid } = metadata
      const key = JSON.stringify([uid ?? [namespace, name], Object.values(details)])
      const time = now()
      const known = recent.get(key)
      if (known?.waiting !== true && waiting >= MOST_WAITING) {
        dropped.inc({ reason: "queue_full" })
        logFull(true)
        return
      }
      const series = known ?? { event: eventOf(resource, metadata, details, time), ...NEW, last: time }
      series.count += 1
      series.last = time
      recent.set(key, series)
      if (series.waiting) return
      series.waiting = true
      waiting += 1
      queue = queue.then(async () => {
        await write(key, series)
        waiting -= 1
        if (waiting === 0) logFull(undefined)
      })
    },
    async close(): Promise<void> {
      await doneWithin(CLOSE_DEADLINE, queue)
      ending.abort()
      await queue
    },
  }

  function eventOf(
    resource: Resource,
    { name, namespace, uid, resourceVersion }: KubernetesObject["metadata"],
    { note, ...details }: EventDetails,
    time: Date,
  ): EventObject {
    const { kind } = resource
    return renamed({
      metadata: { name, namespace: namespace ?? "default" },
      eventTime: microTime(time),
      reportingController: controller,
      reportingInstance: instance,
      regarding: { apiVersion: apiVersionOf(resource), kind, name, namespace, uid, resourceVersion },
      note: note.slice(0, new TextEncoder().encodeInto(note, new Uint8Array(LONGEST_NOTE)).read),
      ...details,
    })
  }
}

const NEW = { count: 0, written: 0, waiting: false }

/** Names of Events are unique by an arbitrary end. */
function renamed({ metadata, ...event }: EventObject): EventObject {
  // a part of a name ends with a letter or a digit
  const name = metadata.name
    .replace(/\.[\da-f]{16}$/, "")
    .slice(0, 200)
    .replace(/[-.]+$/, "")
  return { ...event, metadata: { ...metadata, name: `${name}.${randomBytes(8).toString("hex")}` } }
}
