import type { Service } from "./api.ts"
import { ServiceError } from "./errors.ts"

/** Makes errors about what cannot be used in a response of a service. */
export const unexpectedResponse =
  (service: Service, path: string) =>
  (reason: string): Error =>
    new ServiceError(
      "unexpected_response",
      `the response of ${service} to ${path} cannot be used: ${reason}. It is ignored as a whole, so that no sum is partial`,
    )

/** A JSON object in a response. */
export type Item = Readonly<Record<string, unknown>>

export function isItem(value: unknown): value is Item {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The list under a key of a response, each item an object; `refuse` makes the error of what is wrong. */
export function listIn(response: unknown, key: string, refuse: (reason: string) => Error): readonly Item[] {
  const list = isItem(response) ? response[key] : undefined
  if (!Array.isArray(list)) throw refuse(`it has no list ${key}`)
  const index = list.findIndex((item) => !isItem(item))
  if (index >= 0) throw refuse(`${key}[${index}] is no object`)
  return list as Item[]
}

export function textIn(fields: Item, key: string, refuse: (reason: string) => Error): string {
  const value = fields[key]
  if (typeof value !== "string" || value === "") throw refuse(`${key} is ${shown(value)}, not text`)
  return value
}

/** A value in a message: short, and on one line. */
export function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
