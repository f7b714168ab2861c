import { ExitError, explain } from "#core/errors.ts"
import type { KubernetesError } from "#core/kubernetes/errors.ts"

/** Each cause has its own, for those who watch the init container; docs/cluster-identity.md lists them. */
export const EXIT = { credentials: 3, forbidden: 4, unavailable: 5, identity: 6, files: 7 } as const

/** A source of credentials is missing or cannot be used. */
export const credentialsError = (message: string): ExitError =>
  new ExitError("CREDENTIALS", EXIT.credentials, `credentials: ${message}`)

/** The account may not read what the identity stands in; more attempts would not change that. */
export const forbiddenError = (reasons: readonly string[]): ExitError =>
  new ExitError("FORBIDDEN", EXIT.forbidden, reasons.join("; "))

/** Not in time, or in a way that more attempts do not change. */
export const unavailableError = (message: string, cause?: KubernetesError): ExitError =>
  new ExitError("UNAVAILABLE", EXIT.unavailable, message, { cause })

/** The cluster responds, and does not say what it is. */
export const identityError = (message: string): ExitError => new ExitError("IDENTITY", EXIT.identity, message)

export const filesError = (error: unknown): ExitError => {
  const { code } = error as NodeJS.ErrnoException
  const advice =
    code === "EACCES" || code === "EPERM" || code === "EROFS"
      ? `; fedstack runs as user ${process.geteuid?.()} and must be able to write there`
      : ""
  return new ExitError("FILES", EXIT.files, `the files were not written: ${explain(error)}${advice}`)
}
