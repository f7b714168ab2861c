import * as fc from "fast-check"

/** What a CRD says of a value, as far as it matters here: patterns and rules are left out, so that more is allowed. */
export interface Schema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: Schema
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly format?: string
}

/** Few different ones, so that list elements are alike; and everything that a text may hold. */
const text = fc.oneof(
  fc.constantFrom("a", "b", "Accepted", 'q"uo\\te', "line\nfeed"),
  fc.string({ unit: "grapheme", minLength: 1, maxLength: 8 }),
)
const TIMES = ["1970-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T01:00:00.5+01:00"]

/** Values that a schema allows. */
export function valuesOf(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  switch (schema.type ?? "any") {
    case "object":
      return objectsOf(schema)
    case "array":
      return fc.array(valuesOf(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.max(schema.minItems ?? 0, Math.min(schema.maxItems ?? 4, 4)),
      })
    case "integer":
      return fc.integer({ min: schema.minimum ?? -5, max: Math.min(schema.maximum ?? 2 ** 31, 2 ** 31) })
    case "number":
      return fc.double({ noNaN: true, noDefaultInfinity: true })
    case "boolean":
      return fc.boolean()
    case "string":
      return schema.format === "date-time" ? fc.constantFrom(...TIMES) : text
    default:
      return fc.jsonValue({ maxDepth: 1 })
  }
}

function objectsOf({ properties, required = [], additionalProperties }: Schema): fc.Arbitrary<unknown> {
  if (properties === undefined) return fc.dictionary(text, valuesOf(additionalProperties ?? {}), { maxKeys: 3 })
  const model = Object.fromEntries(Object.entries(properties).map(([key, schema]) => [key, valuesOf(schema)]))
  return fc.record(model, { requiredKeys: [...required] })
}
