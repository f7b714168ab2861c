import { Document, visit } from "yaml"

/** To people who read the file they are line breaks or nothing at all. */
const INVISIBLE = /[\p{C}\u2028\u2029]/u

/** A value of JSON in one line of YAML, as it can stand everywhere: `{location: city-a}`. */
export function written(value: unknown): string {
  const document = new Document([value])
  visit(document, {
    Collection: (_, collection) => void (collection.flow = true),
    Scalar(_, scalar) {
      if (typeof scalar.value === "string" && INVISIBLE.test(scalar.value)) scalar.type = "QUOTE_DOUBLE"
    },
  })
  const options = { lineWidth: 0, flowCollectionPadding: false, doubleQuotedMinMultiLineLength: Infinity }
  return document.toString(options).trim().slice(1, -1)
}
