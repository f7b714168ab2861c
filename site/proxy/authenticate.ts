import type { IncomingMessage } from "node:http"
import { TLSSocket } from "node:tls"
import type { Verifications } from "./limits/verifications.ts"
import { identifyCertificate } from "./policy/certificates.ts"
import { readClaimed } from "./policy/jwt/claimed.ts"
import { sha256 } from "./policy/secrets.ts"
import { findHash, packHashes } from "./policy/token-table.ts"
import type { Identity, Policy, TokenCredential, Unproven } from "./policy/types.ts"

const BEARER = /^bearer ([\w.~+/-]+=*)$/i

/** What of a request proves who asks. */
export type Proof = Pick<IncomingMessage, "rawHeaders" | "socket">

const UNLIMITED: Verifications = { begin: () => () => undefined }

/**
 * The client that a request comes from: by its bearer token, by a JWT, or, without any Authorization header, by the
 * verified certificate of its connection. A promise only where a JWT must be verified that was not seen before.
 * Raw headers are read because Node keeps the first of several Authorization headers silently.
 */
export function authenticate(
  request: Proof,
  policy: Policy,
  now: Date,
  verifications = UNLIMITED,
): Identity | Unproven | Promise<Identity | Unproven> {
  const [value, ...more] = valuesOf(request.rawHeaders, "authorization")
  if (value === undefined) return byCertificate(request.socket, policy, now)
  if (more.length > 0) return { refused: "several Authorization headers" }
  const token = BEARER.exec(value)?.[1]
  if (token === undefined) return { refused: "the Authorization header holds no bearer token" }
  const hash = sha256(token)
  const credential = findCredential(hash, policy)
  if (credential !== undefined) return byToken(credential, now)
  if (policy.issuers.length === 0 || !JWT.test(token)) return UNKNOWN
  const begin = (): (() => void) | undefined => verifications.begin(request.socket)
  return byIssuer(token, hash.toString("base64"), policy, now, begin)
}

const tables = new WeakMap<Policy, Int32Array>()

function findCredential(hash: Buffer, policy: Policy): TokenCredential | undefined {
  let table = tables.get(policy)
  if (table === undefined) tables.set(policy, (table = packHashes(policy.tokens)))
  return policy.tokens[findHash(table, hash)]
}

function byToken({ client, validFrom, notAfter }: TokenCredential, now: Date): Identity | Unproven {
  if (validFrom !== undefined && now < validFrom) return { refused: `a token of ${client.name} that is not valid yet` }
  if (notAfter !== undefined && now >= notAfter) return { refused: `a token of ${client.name} that has expired` }
  return { client, validUntil: notAfter?.getTime() ?? Infinity }
}

/** Three parts of base64url: whatever else it is, no issuer signed it. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const UNKNOWN: Unproven = { refused: "an unknown token" }

/** What can be told without a signature is told first: the work of verifying is for tokens that lack nothing else. */
function byIssuer(
  token: string,
  hash: string,
  { issuers }: Policy,
  now: Date,
  begin: () => (() => void) | undefined,
): Identity | Unproven | Promise<Identity | Unproven> {
  for (const issuer of issuers) {
    const identity = issuer.known(hash, now)
    if (identity !== undefined) return identity
  }
  const claimed = readClaimed(token)
  if (claimed === undefined) return UNKNOWN
  const own = issuers.filter(({ issuer }) => issuer === claimed.payload.iss)
  const reasons = own.map((issuer) => issuer.doubt(claimed, now))
  const candidates = own.filter((_, index) => reasons[index] === undefined)
  if (candidates.length === 0) return reasons.at(-1) ?? UNKNOWN
  const succeeded = begin()
  return succeeded === undefined ? TOO_MANY : verify(token, hash, candidates, now, succeeded)
}

const TOO_MANY: Unproven = { refused: "too many tokens that no issuer signed", throttled: true }

async function verify(
  token: string,
  hash: string,
  issuers: Policy["issuers"],
  now: Date,
  succeeded: () => void,
): Promise<Identity | Unproven> {
  let reason = UNKNOWN
  for (const issuer of issuers) {
    const result = await issuer.verify(token, hash, now)
    if (result !== undefined && "client" in result) {
      succeeded()
      return result
    }
    reason = result ?? reason
  }
  return reason
}

function byCertificate(socket: Proof["socket"], { certificates }: Policy, now: Date): Identity | Unproven {
  if (certificates.length === 0 || !(socket instanceof TLSSocket)) return { refused: "no Authorization header" }
  return identifyCertificate(socket, certificates, now)
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
}
