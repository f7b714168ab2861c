import type { FedstackError } from "#core/errors.ts"
import { malformedQuery } from "./errors.ts"

const MOST_VALUES = 64
const MOST_CHARACTERS = 4096

/**
 * The values of match[] in a raw query (what follows the first `?`), in any percent-encoding, brackets literal or not.
 * Everything else is refused rather than guessed at: the usual parsers stop silently after 1,000 parameters, take `;` for
 * a separator or replace what they cannot decode. Throws MALFORMED_QUERY.
 */
export function parseQuery(raw: string): readonly string[] {
  if (raw === "") return []
  const invalid = /[^\x21-\x7e]|[;#]/.exec(raw)
  if (invalid !== null) throw malformed(`the character ${JSON.stringify(invalid[0])} must be percent-encoded`)
  // what an `&` too many leaves says nothing to any parser
  const parameters = raw.split("&").filter((parameter) => parameter !== "" && parameter !== "=")
  if (parameters.length > MOST_VALUES) throw malformed(`it has more than ${MOST_VALUES} parameters`)
  return parameters.map((parameter) => {
    const equals = parameter.indexOf("=")
    if (equals === -1) throw malformed("a parameter without a value; only match[]=SELECTOR is understood")
    // the name is not repeated in the message: people put tokens there
    if (decode(parameter.slice(0, equals)) !== "match[]") throw malformed("only match[]=SELECTOR is understood")
    const value = decode(parameter.slice(equals + 1))
    if (value.length > MOST_CHARACTERS) throw malformed(`a selector is longer than ${MOST_CHARACTERS} characters`)
    return value
  })
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
