import { errors, jwtVerify } from "jose"
import { BadKeys, parseKeys } from "#core/auth/jwt/keys.ts"
import { readUnverified } from "#core/auth/jwt/issuer.ts"
import { fetchText, RequestFailed } from "#core/http/client.ts"
import { readText } from "#core/files/read-text.ts"

const DEADLINE = 10
const LARGEST = 1_048_576

/** Why the keys at a URL, or in a file, do not verify a token now; undefined where they do. Throws ConfigurationError for the file. */
export async function problemOf(
  token: string,
  jwks: string,
  now: Date,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (readUnverified(token) === undefined) return "it is no JWT"
  try {
    const { find } = parseKeys(/^https?:\/\//i.test(jwks) ? await fetchKeys(jwks, signal) : readText(jwks))
    await jwtVerify(token, find, { currentDate: now, requiredClaims: ["exp"] })
    return undefined
  } catch (error) {
    if (error instanceof errors.JWKSNoMatchingKey) return "its key is not among those that are published there"
    if (error instanceof errors.JWKSMultipleMatchingKeys) return "it names no key, and several fit it"
    if (error instanceof BadKeys) return `what is published there ${error.message}`
    if (error instanceof RequestFailed) return error.problem
    if (error instanceof errors.JOSEError) return error.message
    throw error
  }
}

async function fetchKeys(jwks: string, signal: AbortSignal): Promise<string> {
  if (!URL.canParse(jwks)) throw new BadKeys("is not there: the URL is none")
  const { status, body } = await fetchText(new URL(jwks), { deadline: DEADLINE, limit: LARGEST, signal })
  if (status !== 200) throw new BadKeys(`is nothing: the status is ${status}`)
  return body
}
