import type { PeerCertificate, TLSSocket } from "node:tls"
import { kindsOfNamesIn } from "#core/http/web/client-certificate.ts"
import type { CertificateRule, Identity, Unproven } from "./types.ts"

/**
 * The client of a connection whose certificate was verified. A name counts only in the kind that a rule gives it, and the
 * subject's common name only where there is one.
 */
export function identifyCertificate(
  socket: Pick<TLSSocket, "authorized" | "getPeerX509Certificate">,
  rules: readonly CertificateRule[],
  now: Date,
): Identity | Unproven {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return { refused: "no Authorization header and no client certificate" }
  if (!socket.authorized) return { refused: "a client certificate that was not verified" }
  // it was verified when the connection began, which may be long ago
  if (now >= certificate.validToDate) return { refused: "a client certificate that has expired" }
  const sans = kindsOfNamesIn(certificate.subjectAltName ?? "").map(({ kind, value }) => `${kind}:${value}`)
  const { CN } = certificate.toLegacyObject().subject as PeerCertificate["subject"] & { CN?: unknown }
  const names = new Set(typeof CN === "string" ? [...sans, `CN:${CN}`] : sans)
  const rule = rules.find((candidate) => candidate.names.some((name) => names.has(name)))
  if (rule === undefined) return { refused: "a client certificate that no rule names" }
  return { client: rule.client, validUntil: certificate.validToDate.getTime() }
}
