import { cleanText, TEXT_LIMIT } from "#core/log/clean-text.ts"
import type { Details } from "./cause.ts"

/** The longest value of a detail in a sentence, in bytes. */
const VALUE_LIMIT = 300

/** Details that a sentence can show: values cut, in one line, without control characters; empty ones are missing. */
export function presentable(details: Readonly<Record<string, string | undefined>>): Details {
  const values = Object.entries(details).map(([name, value]) => [name, cleanText(value ?? "", VALUE_LIMIT)] as const)
  return Object.fromEntries(values.filter(([, value]) => value !== ""))
}

/**
 * A sentence of a cause with its details, which are presentable. `{host|the site}` has a fallback, and `[ on {address}]` is
 * left out where a detail in it is missing. What a detail holds is never read as a placeholder.
 */
export function sentence(template: string, details: Details): string {
  const pieces = template.split(OPTIONAL).map((piece, index) => {
    const optional = index % 2 === 1 // what the expression captures
    return optional && !isComplete(piece, details) ? "" : fill(piece, details)
  })
  return cleanText(pieces.join("").replace(/\.\.(?= |$)/g, "."), TEXT_LIMIT) // a detail may be a sentence
}

/** A sentence within another one: `Nothing listens on x.` is `nothing listens on x`. */
export const clause = (text: string): string =>
  text.replace(/^[A-Z](?=[a-z]* )/, (first) => first.toLowerCase()).replace(/\.$/, "")

const OPTIONAL = /\[([^[\]]*\{[^[\]]*)\]/
const PLACEHOLDER = /\{(\w+)(?:\|([^{}]*))?\}/g

const isComplete = (piece: string, details: Details): boolean =>
  [...piece.matchAll(PLACEHOLDER)].every(([, name = "", fallback]) => (details[name] ?? fallback) !== undefined)

const fill = (piece: string, details: Details): string =>
  piece.replace(PLACEHOLDER, (_, name: string, fallback = "") => details[name] ?? fallback)

/** The names of the placeholders of a sentence, and whether a reader misses something where they are missing. */
export function placeholders(template: string): readonly { readonly name: string; readonly needed: boolean }[] {
  return template.split(OPTIONAL).flatMap((piece, index) =>
    [...piece.matchAll(PLACEHOLDER)].map(([, name = "", fallback]) => ({
      name,
      needed: fallback === undefined && index % 2 === 0,
    })),
  )
}
