import { hash } from "node:crypto"
import type { Faults } from "#core/config/faults.ts"

export interface FoundToken {
  readonly token: string
  readonly where: string
}

const TOKEN = /^[\w.~+/-]+=*$/

export function sha256(token: string): Buffer {
  return hash("sha256", token, "buffer")
}

/** One token per line, blank lines left out. No fault repeats a token. */
export function parseTokens(text: string, where: string, faults: Faults): readonly FoundToken[] {
  const lines = text.split("\n").map((line, index, { length }) => ({
    token: line.trim(),
    where: length === 1 ? where : `${where}:${index + 1}`,
  }))
  const found = lines.filter(({ token }) => token !== "")
  if (found.length === 0) {
    faults.add(where, "holds no token; put a long random one there, such as 'fedstack token new' makes")
  }
  return found.filter(({ token, where: at }) => {
    const fits = TOKEN.test(token)
    const message = "the token has characters that a bearer token cannot have; use letters, digits and -._~+/ only"
    if (!fits) faults.add(at, message)
    return fits
  })
}

const SHORTEST = 16
const FEWEST_DIFFERENT = 6
/** Such as stand in documentation and examples, without their dashes and case. */
const EXAMPLES =
  /dontuse|donotuse|changeme|change.?this|replaceme|example|placeholder|password|onlyfordevelopment|notforproduction|mysecret|secrettoken|yourtoken|abcdef(?:gh|0123)|0123456789|123456789|qwerty|deadbeef|topsecret|supersecret|lorem/

const USE = "use one of 'fedstack token new'"

/** Why a token would be guessed, and what to do, without repeating it; undefined where it would not be. */
export function weaknessOf(token: string): string | undefined {
  const plain = token.toLowerCase().replaceAll(/[^a-z\d]/g, "")
  if (token.length < SHORTEST) return `the token is shorter than ${SHORTEST} characters; ${USE}`
  if (new Set(plain).size < FEWEST_DIFFERENT) return `the token repeats a few characters; ${USE}`
  // `abcabcabc`: some part of at most half the length makes the whole
  if ((plain + plain).indexOf(plain, 1) < plain.length) return `the token repeats one part; ${USE}`
  return EXAMPLES.test(plain) ? `the token looks like one of an example or of documentation; ${USE}` : undefined
}

/** Hashes hide what they are made of, but not the empty text and the best known words. */
const KNOWN_WORDS = ["", "secret", "token", "test", "password", "changeme", "DontUseThisInProduction", "portal"]
const KNOWN_HASHES = new Set(KNOWN_WORDS.map((word) => sha256(word).toString("hex")))

/** The same for a token of which there is only the hash, in hexadecimal digits. */
export function weaknessOfHash(hex: string): string | undefined {
  return KNOWN_HASHES.has(hex.toLowerCase()) ? `is the hash of an empty or well-known token; ${USE}` : undefined
}
