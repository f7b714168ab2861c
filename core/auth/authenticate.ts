import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { TLSSocket } from "node:tls"
import { identifyCertificate } from "./certificates.ts"
import type { Credentials, Identity, Issuer, Owner, Refusal, TokenCredential } from "./credentials.ts"
import { readUnverified } from "./jwt/unverified.ts"
import { sha256 } from "./secrets.ts"
import { findHash, packHashes } from "./token-table.ts"

const BEARER = /^bearer ([\w.~+/-]+=*)$/i

/** What of a request it is authenticated by. */
export type AuthenticatedParts = Pick<IncomingMessage, "rawHeaders" | "socket">

/** Limits how many signatures are verified in vain. */
export interface VerificationLimit {
  /** What to call when the token turned out to be valid; undefined where none is to be verified now. */
  readonly begin: (socket: Pick<Socket, "remoteAddress">) => (() => void) | undefined
}

const UNLIMITED: VerificationLimit = { begin: () => () => undefined }
const UNKNOWN: Refusal = { reason: "an unknown token" }
const TOO_MANY: Refusal = { reason: "too many tokens that no issuer signed", throttled: true }

/**
 * The owner of the bearer token of a request, static or signed, or, without any Authorization header, of the verified
 * certificate of its connection. A promise only where a signature must be verified that was not seen before.
 * Raw headers are read because Node keeps the first of several Authorization headers silently.
 */
export function authenticate<O extends Owner>(
  request: AuthenticatedParts,
  credentials: Credentials<O>,
  now: Date,
  verifications = UNLIMITED,
): Identity<O> | Refusal | Promise<Identity<O> | Refusal> {
  const [value, ...more] = valuesOf(request.rawHeaders, "authorization")
  if (value === undefined) return byCertificate(request.socket, credentials, now)
  if (more.length > 0) return { reason: "several Authorization headers" }
  const token = BEARER.exec(value)?.[1]
  if (token === undefined) return { reason: "the Authorization header holds no bearer token" }
  const { hash, credential } = lookUp(token, request.socket, credentials)
  if (credential !== undefined) return byToken(credential, now)
  if (credentials.issuers.length === 0 || !JWT.test(token)) return UNKNOWN
  const begin = (): (() => void) | undefined => verifications.begin(request.socket)
  return byIssuer(token, hash.toString("base64"), credentials.issuers, now, begin)
}

interface Found<O extends Owner> {
  readonly credentials: Credentials<O>
  readonly token: string
  readonly hash: Buffer
  readonly credential: TokenCredential<O> | undefined
}

/** Of the last token of each connection, which mostly is that of its next request, too. */
const found = new WeakMap<Socket, Found<Owner>>()

function lookUp<O extends Owner>(token: string, socket: Socket, credentials: Credentials<O>): Found<O> {
  const last = found.get(socket)
  if (last?.credentials === credentials && isSame(last.token, token)) return last as Found<O>
  const hash = sha256(token)
  const now = { credentials, token, hash, credential: findCredential(hash, credentials) }
  found.set(socket, now)
  return now
}

/** In a time that tells nothing but the length: a load balancer may send requests of others over the same connection. */
function isSame(text: string, other: string): boolean {
  if (text.length !== other.length) return false
  let difference = 0
  for (let index = 0; index < text.length; index++) difference |= text.charCodeAt(index) ^ other.charCodeAt(index)
  return difference === 0
}

const tables = new WeakMap<Credentials<Owner>, Int32Array>()

function findCredential<O extends Owner>(hash: Buffer, credentials: Credentials<O>): TokenCredential<O> | undefined {
  let table = tables.get(credentials)
  if (table === undefined) tables.set(credentials, (table = packHashes(credentials.tokens)))
  return credentials.tokens[findHash(table, hash)]
}

function byToken<O extends Owner>(credential: TokenCredential<O>, now: Date): Identity<O> | Refusal {
  const { owner, validFrom, notAfter } = credential
  if (validFrom !== undefined && now < validFrom) return { reason: `a token of ${owner.name} that is not valid yet` }
  if (notAfter !== undefined && now >= notAfter) return { reason: `a token of ${owner.name} that has expired` }
  return { owner, validUntil: notAfter?.getTime() ?? Infinity }
}

/** Three parts of base64url: whatever else it is, no issuer signed it. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const LONGEST_JWT = 8192

/** What is wrong without a signature is found first: only tokens that lack nothing else are worth the work of verifying. */
function byIssuer<O extends Owner>(
  token: string,
  hash: string,
  issuers: readonly Issuer<O>[],
  now: Date,
  begin: () => (() => void) | undefined,
): Identity<O> | Refusal | Promise<Identity<O> | Refusal> {
  for (const issuer of issuers) {
    const identity = issuer.known(hash, now)
    if (identity !== undefined) return identity
  }
  const unverified = token.length > LONGEST_JWT ? undefined : readUnverified(token)
  if (unverified === undefined) return UNKNOWN
  const own = issuers.filter(({ issuer }) => issuer === unverified.payload.iss)
  const refusals = own.map((issuer) => issuer.precheck(unverified, now))
  const candidates = own.filter((_, index) => refusals[index] === undefined)
  if (candidates.length === 0) return refusals.at(-1) ?? UNKNOWN
  const succeeded = begin()
  return succeeded === undefined ? TOO_MANY : verify(token, hash, candidates, now, succeeded)
}

async function verify<O extends Owner>(
  token: string,
  hash: string,
  issuers: readonly Issuer<O>[],
  now: Date,
  succeeded: () => void,
): Promise<Identity<O> | Refusal> {
  let refusal = UNKNOWN
  for (const issuer of issuers) {
    const result = await issuer.verify(token, hash, now)
    if ("owner" in result) {
      succeeded()
      return result
    }
    refusal = result
  }
  return refusal
}

function byCertificate<O extends Owner>(
  socket: Socket,
  { certificates }: Credentials<O>,
  now: Date,
): Identity<O> | Refusal {
  if (certificates.length === 0 || !(socket instanceof TLSSocket)) return { reason: "no Authorization header" }
  return identifyCertificate(socket, certificates, now)
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const key = rawHeaders[index] ?? ""
    if (key.length === name.length && key.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "")
  }
  return values
}
