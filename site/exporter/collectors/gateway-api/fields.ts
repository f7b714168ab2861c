/** An object as the API gave it. CRDs of other versions have other fields, so nothing but what JSON is is relied on. */
export type Json = unknown

export type Read = (value: Json) => Json

/** Reads a field below a value, such as `spec.targetRef.name`; "" is the value itself. undefined where there is none. */
export function field(path: string): Read {
  const keys = path === "" ? [] : path.split(".")
  return (value) => {
    let found = value
    for (const key of keys) found = isObject(found) ? found[key] : undefined
    return found
  }
}

/** The elements of a list; none where there is no list. */
export function elements(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : []
}

export function entries(value: Json): readonly (readonly [string, Json])[] {
  return isObject(value) ? Object.entries(value) : []
}

/** The text of a scalar; undefined of all else, as of null. */
export function scalar(value: Json): string | undefined {
  if (typeof value === "string") return value
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined
}

/** With its zone: a time without one would be another one in each place. */
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** Unix seconds of an RFC 3339 time. */
export function unixSeconds(value: Json): number | undefined {
  const time = typeof value === "string" && RFC_3339.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(time) ? undefined : time / 1000
}

function isObject(value: Json): value is Readonly<Record<string, Json>> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
