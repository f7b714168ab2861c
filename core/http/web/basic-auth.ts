import { createHmac, randomBytes } from "node:crypto"
import { compare } from "bcryptjs"

/** Password checks that may wait; bcrypt is slow on purpose, and runs one at a time. */
const WAITING = 32
const KEPT = 1000

export type PasswordVerdict = "accepted" | "refused" | "busy"

/**
 * Decides whether an Authorization header names a user with the right password.
 *
 * Right passwords are remembered under a keyed hash of user, stored hash and password, each with its length, so that no
 * other triple can have the same key (the mistake of CVE-2022-46146). Wrong ones are not remembered: clients cannot fill
 * the memory. An unknown user is compared with the hash of some user, so that the time does not reveal who exists.
 */
export function basicAuth(
  users: ReadonlyMap<string, string>,
  verify: (password: string, hash: string) => Promise<boolean> = compare,
): (authorization: string | undefined) => Promise<PasswordVerdict> {
  const secret = randomBytes(32)
  const hashes = [...users.values()]
  const right = new Set<string>()
  const underWay = new Map<string, Promise<boolean>>()
  let last: Promise<unknown> = Promise.resolve()

  const keyOf = (...parts: readonly string[]): Buffer => {
    const hmac = createHmac("sha256", secret)
    for (const part of parts) hmac.update(`${Buffer.byteLength(part)}:`).update(part)
    return hmac.digest()
  }
  const check = async (key: string, password: string, hash: string, known: boolean): Promise<boolean> => {
    try {
      const matches = (await verify(password, hash)) && known
      if (matches && right.size < KEPT) right.add(key)
      return matches
    } finally {
      underWay.delete(key)
    }
  }

  return async (authorization) => {
    const credentials = parse(authorization)
    if (credentials === undefined) return "refused"
    const { user, password } = credentials
    const known = users.has(user)
    const hash = users.get(user) ?? hashes[keyOf(user).readUInt32BE() % hashes.length] ?? ""
    const key = keyOf(user, hash, password).toString("base64")
    if (right.has(key)) return "accepted"
    let result = underWay.get(key)
    if (result === undefined) {
      if (underWay.size > WAITING) return "busy"
      result = last.then(() => check(key, password, hash, known))
      last = result.catch(() => undefined) // the request that waits for it gets the failure
      underWay.set(key, result)
    }
    return (await result) ? "accepted" : "refused"
  }
}

/** User and password of `Basic …` (RFC 7617); undefined if it is something else. */
function parse(authorization: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^basic +([\d+/=a-z]+) *$/i.exec(authorization ?? "") ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, "base64").toString("utf8")
  const colon = text.indexOf(":")
  // bytes that are no UTF-8 would all become the same character, and different passwords one
  if (colon < 0 || text.includes("\uFFFD")) return undefined
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}

/** Whom an Authorization header names, whatever its password. */
export const userIn = (authorization: string | undefined): string | undefined => parse(authorization)?.user
