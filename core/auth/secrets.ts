import { hash } from "node:crypto"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"

/** A token as it was found, on its way to become a hash. */
export interface FoundToken {
  readonly token: string
  readonly where: string
}

export interface FoundTokens {
  readonly tokens: readonly FoundToken[]
  readonly faults: readonly Fault[]
}

const TOKEN = /^[\w.~+/-]+=*$/
const NONE = "holds no token; put a long random one there, such as 'fedstack token new' makes"

export function sha256(token: string): Buffer {
  return hash("sha256", token, "buffer")
}

/** One token per line, blank lines left out. The faults never repeat a token. */
export function readTokens(text: string, where: string): FoundTokens {
  const lines = text.split("\n")
  const found = lines.flatMap((line, index) => {
    const token = line.trim()
    return token === "" ? [] : [{ token, where: lines.length === 1 ? where : `${where}:${index + 1}` }]
  })
  const faults = found
    .filter(({ token }) => !TOKEN.test(token))
    .map((bad) => ({
      where: bad.where,
      message: "the token has characters that a bearer token can't have; use letters, digits and -._~+/ only",
    }))
  return { tokens: found, faults: found.length === 0 ? [{ where, message: NONE }] : faults }
}

/** `where` is the place that names the file. */
export function readTokenFile(file: string, read: ReadText, where = file): FoundTokens {
  try {
    return readTokens(read(file, where), file)
  } catch (error) {
    if (error instanceof ConfigurationError) return { tokens: [], faults: error.faults }
    throw error
  }
}

const SHORTEST = 16
const FEWEST_DIFFERENT = 6
/** Such as stand in documentation and examples, without their dashes and case. */
const EXAMPLES =
  /dontuse|donotuse|changeme|change.?this|replaceme|example|placeholder|password|onlyfordevelopment|notforproduction|mysecret|secrettoken|yourtoken|abcdef(?:gh|0123)|0123456789|123456789|qwerty|deadbeef|topsecret|supersecret|lorem/

/** Why a token would be guessed, in a sentence that does not repeat it; undefined where it would not be. */
export function weaknessOf(token: string): string | undefined {
  const plain = token.toLowerCase().replaceAll(/[^a-z\d]/g, "")
  if (token.length < SHORTEST) return `the token is shorter than ${SHORTEST} characters`
  if (new Set(plain).size < FEWEST_DIFFERENT) return "the token repeats a few characters"
  if (isRepeated(plain)) return "the token repeats one part"
  if (EXAMPLES.test(plain)) return "the token looks like one of an example or of documentation"
  return undefined
}

/** `abcabcabc`: some part of at most half the length makes the whole. */
function isRepeated(text: string): boolean {
  return (text + text).indexOf(text, 1) < text.length
}
