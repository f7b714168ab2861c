import type { Service } from "./api.ts"
import { ServiceError } from "./errors.ts"

/** Makes errors that say what can't be used in the answers of a service. */
export const strangeAnswers =
  (service: Service, path: string) =>
  (reason: string): Error =>
    new ServiceError(
      "unexpected_response",
      `${service} answered ${path} with what can't be used: ${reason}. Nothing is taken from it, so that no sum is a partial one`,
    )

/** A JSON object in an answer. */
export type Item = Readonly<Record<string, unknown>>

export function isItem(value: unknown): value is Item {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** The list under a key of an answer, each item an object. Says what is wrong by `refuse`, which throws. */
export function listIn(answer: unknown, key: string, refuse: (reason: string) => Error): readonly Item[] {
  const list = isItem(answer) ? answer[key] : undefined
  if (!Array.isArray(list)) throw refuse(`it has no list ${key}`)
  const index = list.findIndex((item) => !isItem(item))
  if (index >= 0) throw refuse(`${key}[${index}] is no object`)
  return list as Item[]
}

export function textIn(fields: Item, key: string, refuse: (reason: string) => Error): string {
  const value = fields[key]
  if (typeof value !== "string" || value === "") throw refuse(`${key} is ${shown(value)}, not a text`)
  return value
}

/** A value in a message: short, and on one line. */
export function shown(value: unknown): string {
  const text = value === undefined ? "missing" : JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}
