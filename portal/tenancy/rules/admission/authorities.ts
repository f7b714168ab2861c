import { X509Certificate } from "node:crypto"
import { ConfigurationError } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"

/** All certificates of a PEM text; what cannot be read is left out. */
export function certificatesIn(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\w+/=\s]+-----END CERTIFICATE-----/g) ?? []
  return blocks.flatMap((block) => {
    try {
      return [new X509Certificate(block)]
    } catch {
      return []
    }
  })
}

/** Throws ConfigurationError where the file holds none. */
export function readAuthorities(file: string, read: ReadText): readonly X509Certificate[] {
  const found = certificatesIn(read(file))
  if (found.length === 0) throw new ConfigurationError([{ where: file, message: "holds no certificate in PEM format" }])
  return found
}

/** Whether a server's certificate, with those that follow it in its file, leads to one of the authorities. */
export function isTrusted(chain: readonly X509Certificate[], authorities: readonly X509Certificate[]): boolean {
  return chain.some((certificate) =>
    authorities.some(
      (authority) =>
        authority.fingerprint256 === certificate.fingerprint256 ||
        (certificate.checkIssued(authority) && certificate.verify(authority.publicKey)),
    ),
  )
}

export interface Bundle {
  readonly authorities: readonly X509Certificate[]
  /** When an authority came in that was not there before. */
  readonly rotated: Date | undefined
}

/** Milliseconds for which authorities of before stay: all replicas have their new certificates by then. */
const OVERLAP = 3_600_000
/** Of before. */
const MOST_KEPT = 4

/**
 * What the API is to trust, from what it trusts and what the file holds; undefined where that stays as it is. New authorities
 * come in at once, and those of before go an hour later: certificates of either are shown in between.
 */
export function nextBundle(
  { authorities, rotated }: Bundle,
  wanted: readonly X509Certificate[],
  now: Date,
): Bundle | undefined {
  const missing = without(wanted, authorities)
  const before = without(authorities, wanted).filter(({ validToDate }) => validToDate > now)
  if (missing.length > 0) return { authorities: [...wanted, ...before.slice(0, MOST_KEPT)], rotated: now }
  if (authorities.length === wanted.length) return undefined
  if (rotated === undefined || rotated > now) return { authorities, rotated: now }
  return now.getTime() - rotated.getTime() >= OVERLAP ? { authorities: wanted, rotated } : undefined
}

function without(some: readonly X509Certificate[], others: readonly X509Certificate[]): readonly X509Certificate[] {
  const known = new Set(others.map(({ fingerprint256 }) => fingerprint256))
  return some.filter(({ fingerprint256 }) => !known.has(fingerprint256))
}
