import type { PeerCertificate, TLSSocket } from "node:tls"
import { kindsOfNamesIn } from "#core/http/web/client-certificate.ts"
import type { Authentication, Owner } from "./owner.ts"

/** The owner of client certificates with one of these names. */
export interface CertificateRule<O extends Owner> {
  readonly owner: O
  /** `DNS:a.example.org`, `URI:spiffe://…`, `email:a@example.org`, `CN:name`. */
  readonly names: readonly string[]
}

/**
 * The owner of a connection's verified certificate. A name counts only in the kind that a rule gives it, and the
 * subject's common name only where there is one.
 */
export function identifyCertificate<O extends Owner>(
  socket: Pick<TLSSocket, "authorized" | "getPeerX509Certificate">,
  rules: readonly CertificateRule<O>[],
  now: Date,
): Authentication<O> {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return { reason: "no Authorization header and no client certificate" }
  if (!socket.authorized) return { reason: "a client certificate that was not verified", ofConnection: true }
  // it was verified when the connection began, which may be long ago
  if (now >= certificate.validToDate) {
    return { reason: "a client certificate that has expired", ofConnection: true }
  }
  const sans = kindsOfNamesIn(certificate.subjectAltName ?? "").map(({ kind, value }) => `${kind}:${value}`)
  const { CN } = certificate.toLegacyObject().subject as PeerCertificate["subject"] & { CN?: unknown }
  const names = new Set(typeof CN === "string" ? [...sans, `CN:${CN}`] : sans)
  const rule = rules.find((candidate) => candidate.names.some((name) => names.has(name)))
  if (rule === undefined) return { reason: "a client certificate that no rule names", ofConnection: true }
  return { owner: rule.owner, validUntil: certificate.validToDate.getTime() }
}
