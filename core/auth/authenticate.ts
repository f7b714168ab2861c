import type { IncomingMessage } from "node:http"
import { TLSSocket } from "node:tls"
import type { BeginVerification } from "#core/limits/verifications.ts"
import { type CertificateRule, identifyCertificate } from "./certificates.ts"
import { type Issuer, readUnverified } from "./jwt/issuer.ts"
import type { Authentication, Owner, Refusal } from "./owner.ts"
import { sha256 } from "./secrets.ts"
import { findHash, packHashes, type TokenCredential } from "./token-table.ts"

/** All that requests are authenticated with; replaced as a whole. */
export interface Credentials<O extends Owner> {
  readonly tokens: readonly TokenCredential<O>[]
  readonly issuers: readonly Issuer<O>[]
  readonly certificates: readonly CertificateRule<O>[]
}

const BEARER = /^bearer ([\w.~+/-]+=*)$/i
/** Three parts of base64url: whatever else it is, no issuer signed it. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const LONGEST_JWT = 8192

const UNLIMITED: BeginVerification = () => () => undefined
const UNKNOWN: Refusal = { reason: "an unknown token" }
const TOO_MANY: Refusal = { reason: "too many tokens that no issuer signed", throttled: true }

/**
 * The owner of the bearer token of a request, static or signed, or, without any Authorization header, of the verified
 * certificate of its connection. A promise only where a signature must be verified that was not seen before.
 * Raw headers are read because Node keeps the first of several Authorization headers silently.
 */
export function authenticate<O extends Owner>(
  { rawHeaders, socket }: Pick<IncomingMessage, "rawHeaders" | "socket">,
  credentials: Credentials<O>,
  now: Date,
  beginVerification = UNLIMITED,
): Authentication<O> | Promise<Authentication<O>> {
  const [value, ...more] = valuesOf(rawHeaders, "authorization")
  if (value === undefined) {
    const verified = socket instanceof TLSSocket && credentials.certificates.length > 0
    return verified ? identifyCertificate(socket, credentials.certificates, now) : { reason: "no Authorization header" }
  }
  if (more.length > 0) return { reason: "several Authorization headers" }
  const token = BEARER.exec(value)?.[1]
  if (token === undefined) return { reason: "the Authorization header holds no bearer token" }
  const hash = sha256(token)
  const credential = findCredential(hash, credentials)
  if (credential !== undefined) return byToken(credential, now)
  if (credentials.issuers.length === 0 || token.length > LONGEST_JWT || !JWT.test(token)) return UNKNOWN
  const key = hash.toString("base64")
  for (const issuer of credentials.issuers) {
    const identity = issuer.known(key, now)
    if (identity !== undefined) return identity
  }
  return byIssuer(token, key, credentials.issuers, now, () => beginVerification(socket))
}

const tables = new WeakMap<Credentials<Owner>, Int32Array>()

function findCredential<O extends Owner>(hash: Buffer, credentials: Credentials<O>): TokenCredential<O> | undefined {
  let table = tables.get(credentials)
  if (table === undefined) tables.set(credentials, (table = packHashes(credentials.tokens)))
  return credentials.tokens[findHash(table, hash)]
}

function byToken<O extends Owner>({ owner, validFrom, notAfter }: TokenCredential<O>, now: Date): Authentication<O> {
  if (validFrom !== undefined && now < validFrom) return { reason: `a token of ${owner.name} that is not valid yet` }
  if (notAfter !== undefined && now >= notAfter) return { reason: `a token of ${owner.name} that has expired` }
  return { owner, validUntil: notAfter?.getTime() ?? Infinity }
}

/** What is wrong without a signature is found first: only tokens that lack nothing else are worth the work of verifying. */
async function byIssuer<O extends Owner>(
  token: string,
  hash: string,
  issuers: readonly Issuer<O>[],
  now: Date,
  begin: () => (() => void) | undefined,
): Promise<Authentication<O>> {
  const unverified = readUnverified(token)
  if (unverified === undefined) return UNKNOWN
  let refusal = UNKNOWN
  let succeeded: (() => void) | undefined
  for (const issuer of issuers.filter((one) => one.issuer === unverified.payload.iss)) {
    const problem = issuer.precheck(unverified, now)
    if (problem === undefined) succeeded ??= begin()
    if (problem === undefined && succeeded === undefined) return TOO_MANY
    const result = problem ?? (await issuer.verify(token, hash, now))
    if ("owner" in result) {
      succeeded?.()
      return result
    }
    refusal = result
  }
  return refusal
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const key = rawHeaders[index] ?? ""
    if (key.length === name.length && key.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "")
  }
  return values
}
