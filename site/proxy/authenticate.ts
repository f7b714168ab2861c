import { timingSafeEqual } from "node:crypto"
import type { IncomingMessage } from "node:http"
import { type Client, type Policy, sha256 } from "./clients.ts"
import { unauthenticated } from "./errors.ts"

const BEARER = /^bearer ([\w.~+/-]+=*)$/i

/**
 * The client that a request's bearer token belongs to. Throws UNAUTHENTICATED, with the same words whatever is wrong.
 * Raw headers are read because Node keeps the first of several Authorization headers silently.
 */
export function authenticate(request: Pick<IncomingMessage, "rawHeaders">, policy: Policy): Client {
  const [value, ...more] = valuesOf(request.rawHeaders, "authorization")
  const token = BEARER.exec(value ?? "")?.[1]
  if (token === undefined || more.length > 0) throw unauthenticated({})
  const client = findClient(token, policy)
  if (client === undefined) throw unauthenticated({})
  return client
}

/** Compares hashes, all of them, so that the time taken tells nothing about any token. */
function findClient(token: string, { credentials }: Policy): Client | undefined {
  const hash = sha256(token)
  let found: Client | undefined
  for (const credential of credentials) {
    if (timingSafeEqual(hash, credential.sha256)) found = credential.client
  }
  return found
}

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name)
}
