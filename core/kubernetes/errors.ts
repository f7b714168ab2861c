import { FedstackError } from "#core/errors.ts"
import type { KubernetesRequest } from "./resource.ts"

/** How the API explains a failure (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/). */
export interface Status {
  readonly code?: number
  readonly message?: string
  /** One word: `AlreadyExists`, `Conflict`, `Expired`. */
  readonly reason?: string
  readonly details?: { readonly name?: string; readonly causes?: readonly Cause[] }
}

/** What is wrong with one field of an object that was refused. */
export interface Cause {
  /** `FieldManagerConflict` where another manager applied the field. */
  readonly reason?: string
  readonly field?: string
  readonly message?: string
}

/** The API refused a request, or could not be reached. */
export class KubernetesError extends FedstackError {
  /** Of the response; 0 where there was no whole one. */
  readonly statusCode: number
  /** The Status object of the response, as far as it was one. */
  readonly details: Status
  /** Seconds to wait before the next request, from Retry-After. */
  readonly retryAfter: number
  /** Of the request, as RBAC names it: what the account needs where the code is 403. */
  needed?: { readonly verb: string; readonly resource: string }

  constructor(message: string, statusCode: number, details: Status = {}, retryAfter = 0, options?: ErrorOptions) {
    super("KUBERNETES", 502, message, options)
    this.statusCode = statusCode
    this.details = details
    this.retryAfter = retryAfter
  }
}

export function statusError(
  request: KubernetesRequest,
  statusCode: number,
  details: Status,
  retryAfter = 0,
): KubernetesError {
  const { message = "not a Status object of Kubernetes" } = details
  const text = `${headline(request, statusCode, details)}. Response: ${message}`
  const error = new KubernetesError(text, statusCode, details, retryAfter)
  if (request.resource !== undefined) error.needed = { verb: request.verb, resource: request.resource }
  return error
}

function headline({ description, rule }: KubernetesRequest, statusCode: number, { reason, details }: Status): string {
  const cannot = `Kubernetes cannot ${description} (${statusCode})`
  switch (statusCode) {
    case 401:
      return `Kubernetes refused to ${description} (401): the credentials of the kubeconfig or service account are not valid`
    case 403:
      if (isEnding(details)) return `${cannot}: its namespace is being deleted`
      return `Kubernetes refused to ${description} (403): the account needs the rule ${rule}`
    case 404:
      // a path that is not served names no object
      return `${cannot}: ${details?.name === undefined ? "it does not serve this kind in this version: install its CRD, or use another version" : "not found"}`
    case 409:
      if (reason === "AlreadyExists") return `${cannot}: it exists already`
      if (isOwned(details)) return `${cannot}: other managers own these fields${causesIn(details)}`
      return `${cannot}: it was changed by another client meanwhile`
    case 410:
      return `${cannot}: the version to continue from is no longer kept`
    case 422:
      return `${cannot}: the object is invalid${causesIn(details)}`
    default:
      return cannot
  }
}

/** Whether another client has written in between: what follows from the new version may succeed. */
export function isConflict(error: unknown): error is KubernetesError {
  if (!(error instanceof KubernetesError) || error.statusCode !== 409) return false
  return error.details.reason === "Conflict" && !isOwned(error.details.details)
}

/** For a request whose 404 is a result. */
export function undefinedIfMissing(error: unknown): undefined {
  if (!(error instanceof KubernetesError && error.statusCode === 404)) throw error
}

const isEnding = ({ causes = [] }: NonNullable<Status["details"]> = {}): boolean =>
  causes.some(({ reason: cause }) => cause === "NamespaceTerminating")

const isOwned = ({ causes = [] }: NonNullable<Status["details"]> = {}): boolean =>
  causes.some(({ reason }) => reason === "FieldManagerConflict")

function causesIn({ causes = [] }: NonNullable<Status["details"]> = {}): string {
  const shown = causes.map(({ field = "", message = "" }) => `${field}: ${message}`).join("; ")
  return shown === "" ? "" : ` (${shown})`
}

/** There was no whole response. */
export function noResponse({ description }: KubernetesRequest, reason: string, cause?: unknown): KubernetesError {
  return new KubernetesError(`${description}: ${reason}`, 0, {}, 0, cause === undefined ? undefined : { cause })
}
