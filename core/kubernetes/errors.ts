import { FedstackError } from "#core/errors.ts"
import { type Question, show } from "./resource.ts"

/** The API did not do what it was asked. */
export class KubernetesError extends FedstackError {
  /** Its HTTP status; 0 where there was no whole answer. */
  readonly answer: number
  /** Seconds that it wants to be left alone. */
  readonly retryAfter: number

  constructor(message: string, answer: number, retryAfter = 0, options?: ErrorOptions) {
    super("KUBERNETES", 502, message, options)
    this.answer = answer
    this.retryAfter = retryAfter
  }
}

/** What a Status object says (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/). */
export interface Status {
  readonly code?: number
  readonly message?: string
}

export function statusError(question: Question, answer: number, says: string, retryAfter?: number): KubernetesError {
  return new KubernetesError(`${headline(question, answer)}. It says: ${says}`, answer, retryAfter)
}

function headline(question: Question, answer: number): string {
  const asked = show(question)
  if (answer === 401) return `Kubernetes does not accept the credentials with which it is asked to ${asked} (401)`
  if (answer === 403) {
    return `Kubernetes refuses to ${asked} (403): grant the account the verb ${question.verb} on it`
  }
  if (answer === 404) return `Kubernetes can't ${asked}: it has no such thing (404)`
  if (answer === 410) return `Kubernetes has forgotten the version since which it is asked to ${asked} (410)`
  return `Kubernetes can't ${asked} now (${answer})`
}

export function noAnswer(question: Question, reason: string, cause?: unknown): KubernetesError {
  return new KubernetesError(`${show(question)}: ${reason}`, 0, 0, cause === undefined ? undefined : { cause })
}
