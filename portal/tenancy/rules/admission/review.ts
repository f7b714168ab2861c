import { type Fields, isFields } from "../fields.ts"
import { malformedReview } from "./errors.ts"

/** https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#request, what is read of it. */
export interface ReviewRequest {
  readonly uid: string
  readonly operation: string
  readonly subresource: string
  /** The object as it would be stored; untrusted. */
  readonly object: Fields
  /** As it is stored; undefined where there is none. */
  readonly oldObject: Fields | undefined
}

const VERSION = "admission.k8s.io/v1"
/** Levels of lists and maps: those of a rule are 8. */
const DEEPEST = 64

/** The body of a request of the Kubernetes API. Throws MALFORMED_REVIEW for all that is no review of an OpenMetricsRule. */
export function readReview(body: string): ReviewRequest {
  const review = parse(body)
  if (!isFields(review) || review.kind !== "AdmissionReview")
    throw malformedReview({ problem: "the body is no AdmissionReview" })
  if (review.apiVersion !== VERSION)
    throw malformedReview({ problem: `the AdmissionReview is not of ${VERSION}; set admissionReviewVersions: [v1]` })
  const { request } = review
  if (!isFields(request)) throw malformedReview({ problem: "the AdmissionReview has no request" })
  const { uid, operation, subResource = "", resource, object, oldObject } = request
  if (typeof uid !== "string" || uid === "") throw malformedReview({ problem: "the request has no uid" })
  if (typeof operation !== "string") throw malformedReview({ problem: "the request has no operation" })
  if (!isFields(resource) || resource.group !== "open-metrics.vgs.io" || resource.resource !== "openmetricsrules")
    throw malformedReview({ problem: "it is about other resources than openmetricsrules.open-metrics.vgs.io" })
  return {
    uid,
    operation,
    subresource: String(subResource),
    object: isFields(object) ? object : {},
    oldObject: isFields(oldObject) ? oldObject : undefined,
  }
}

function parse(body: string): unknown {
  if (isTooDeep(body)) throw malformedReview({ problem: `the body has more than ${DEEPEST} levels` })
  try {
    return JSON.parse(body)
  } catch {
    throw malformedReview({ problem: "the body is not JSON" })
  }
}

/** Before it is parsed: what walks through the values later does so by recursion. */
function isTooDeep(json: string): boolean {
  let depth = 0
  for (let at = 0; at < json.length; at += 1) {
    const character = json[at]
    if (character === '"') at = endOfString(json, at)
    else if (character === "[" || character === "{") depth += 1
    else if (character === "]" || character === "}") depth -= 1
    if (depth > DEEPEST) return true
  }
  return false
}

/** Where the string that begins at `from` ends. */
function endOfString(json: string, from: number): number {
  for (let at = from + 1; at < json.length; at += 1) {
    if (json[at] === "\\") at += 1
    else if (json[at] === '"') return at
  }
  return json.length
}
