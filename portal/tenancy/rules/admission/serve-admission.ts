import type { FastifyInstance, FastifyRequest } from "fastify"
import { cleanText } from "#core/log/clean-text.ts"
import type { Logger } from "#core/log/logger.ts"
import { parseDuration } from "#core/config/units.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { isFields } from "../fields.ts"
import { tooManyReviews } from "./errors.ts"
import { judge, type Judging, type Verdict } from "./judge.ts"
import type { AdmissionMetrics } from "./metrics.ts"
import { readReview, type ReviewRequest } from "./review.ts"

export interface AdmissionRoute extends Judging {
  readonly metrics: AdmissionMetrics
  readonly log: Logger
  /** Milliseconds that only go on. */
  readonly milliseconds: () => number
}

export const ADMISSION_PATH = "/admission/openmetricsrules"

/** Bytes. An update has the object twice, each of them 1.5 MiB at most in etcd, and escaped characters. */
const LARGEST_BODY = 8 * 2 ** 20
/** Bodies in memory. */
const MOST_AT_ONCE = 8
/** Seconds: the API's own default is 10. */
const LONGEST = 5

/** The webhook's one route. Whatever a body holds, the response is a review, or a status that has failurePolicy decide. */
export function addAdmission(app: FastifyInstance, route: AdmissionRoute, closing: AbortSignal): void {
  const { metrics, log, milliseconds } = route
  let underWay = 0
  app.removeAllContentTypeParsers()
  app.addContentTypeParser("*", { parseAs: "string" }, (_, body, done) => done(null, body))
  const options = {
    bodyLimit: LARGEST_BODY,
    onRequest: (_request: FastifyRequest, reply: { raw: NodeJS.EventEmitter }, done: (error?: Error) => void) => {
      if (underWay >= MOST_AT_ONCE) return done(tooManyReviews({ count: underWay }))
      underWay += 1
      reply.raw.once("close", () => (underWay -= 1))
      return done()
    },
  }
  app.post(ADMISSION_PATH, options, async (request, reply) => {
    const began = milliseconds()
    const review = read(request.body)
    using deadline = new Deadline(timeOf(request), closing)
    const verdict = await judge(review, route, deadline.signal)
    metrics.requests.inc({ outcome: verdict.outcome })
    metrics.duration.observe((milliseconds() - began) / 1000)
    if (verdict.outcome === "denied") log.info({ resource: nameOf(review) }, "resource denied by the admission webhook")
    await reply.type("application/json").send(JSON.stringify(responseTo(review, verdict)))
  })

  function read(body: unknown): ReviewRequest {
    try {
      return readReview(typeof body === "string" ? body : "")
    } catch (error) {
      metrics.requests.inc({ outcome: "malformed" })
      throw error
    }
  }
}

/** Seconds: most of those that the API says it waits. */
function timeOf({ query }: FastifyRequest): number {
  const { timeout } = query as { readonly timeout?: unknown }
  const given = typeof timeout === "string" ? parseDuration(timeout) : undefined
  return 0.7 * Math.min(given ?? LONGEST, LONGEST)
}

function responseTo({ uid }: ReviewRequest, { outcome, message, warnings }: Verdict): object {
  const denied = outcome === "denied"
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid,
      allowed: !denied,
      ...(denied ? { status: { code: 422, reason: "Invalid", message } } : {}),
      ...(warnings.length > 0 ? { warnings } : {}),
    },
  }
}

function nameOf({ object: { metadata } }: ReviewRequest): string {
  const { namespace, name, generateName } = isFields(metadata) ? metadata : {}
  return cleanText(`${String(namespace)}/${String(name ?? generateName)}`, 512)
}
