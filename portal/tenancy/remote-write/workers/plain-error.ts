import { ConfigurationError, explain, FaultsError, FedstackError, UsageError } from "#core/errors.ts"
import type { PlainError } from "./messages.ts"

export function plainError(error: unknown): PlainError {
  const plain = { message: explain(error), code: "", faults: [] }
  if (error instanceof FaultsError)
    return { ...plain, kind: error instanceof UsageError ? "usage" : "configuration", faults: error.faults }
  return error instanceof FedstackError ? { ...plain, kind: "known", code: error.code } : { ...plain, kind: "other" }
}

export function toError({ kind, message, code, faults }: PlainError): Error {
  if (kind === "usage") return new UsageError(faults)
  if (kind === "configuration") return new ConfigurationError(faults)
  return kind === "known" ? new FedstackError(code, 500, message) : new Error(message)
}
