import type { FedstackError } from "#core/errors.ts"
import { DEFAULT_BOUNDS, type RequestBounds } from "#core/promql/bounds.ts"
import { malformedQuery, selectorTooLong, tooManySelectors } from "./errors.ts"

type QueryBounds = Pick<RequestBounds, "selectors" | "characters">

/**
 * The values of match[] in a raw query (what follows the first `?`), in any percent-encoding, brackets literal or not.
 * Everything else is refused rather than guessed at: the usual parsers stop silently after 1,000 parameters, take `;` for
 * a separator or replace what they cannot decode. Throws MALFORMED_QUERY, TOO_MANY_SELECTORS and SELECTOR_TOO_LONG.
 */
export function parseQuery(raw: string, bounds: QueryBounds = DEFAULT_BOUNDS): readonly string[] {
  if (raw === "") return []
  const invalid = /[^\x21-\x7e]|[;#]/.exec(raw)
  if (invalid !== null) throw malformed(`the character ${JSON.stringify(invalid[0])} must be percent-encoded`)
  // what an `&` too many leaves says nothing to any parser
  const parameters = raw.split("&").filter((parameter) => parameter !== "" && parameter !== "=")
  const values = parameters.map((parameter) => {
    const equals = parameter.indexOf("=")
    if (equals === -1) throw malformed("a parameter without a value; only match[]=SELECTOR is understood")
    // the name is not repeated in the message: people put tokens there
    if (decode(parameter.slice(0, equals)) !== "match[]") throw malformed("only match[]=SELECTOR is understood")
    return decode(parameter.slice(equals + 1))
  })
  const { selectors: most, characters } = bounds
  if (values.length > most) throw tooManySelectors({ count: values.length, most })
  const tooLong = values.find(({ length }) => length > characters)
  if (tooLong !== undefined) throw selectorTooLong({ length: tooLong.length, most: characters })
  return values
}

function decode(text: string): string {
  if (/%(?![\da-fA-F]{2})/.test(text)) throw malformed("a % is not followed by two hexadecimal digits")
  let value: string
  try {
    value = decodeURIComponent(text.replaceAll("+", " "))
  } catch {
    throw malformed("a value is not UTF-8")
  }
  if (value.includes("\0")) throw malformed("a value holds the character NUL")
  return value
}

function malformed(problem: string): FedstackError {
  return malformedQuery({ problem })
}
