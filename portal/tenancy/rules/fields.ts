/** A map of unknown content, as of a resource, a file or a response. */
export type Fields = Readonly<Record<string, unknown>>

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

/** Levels of lists and maps. A text of JSON, and comparisons, have no room on the stack for the thousands that the API takes. */
const DEEPEST = 100

export function isTooDeep(value: unknown, left = DEEPEST): boolean {
  if (typeof value !== "object" || value === null) return false
  return left === 0 || Object.values(value).some((part) => isTooDeep(part, left - 1))
}

export const TOO_DEEP = `holds lists and maps that are nested more than ${DEEPEST} deep; write its fields as they are documented`
