import { isIPv6 } from "node:net"
import type { TLSSocket } from "node:tls"

/** Go's policies (https://pkg.go.dev/crypto/tls#ClientAuthType). */
export const CLIENT_AUTH = [
  "NoClientCert",
  "RequestClientCert",
  "RequireAnyClientCert",
  "VerifyClientCertIfGiven",
  "RequireAndVerifyClientCert",
] as const

export type ClientAuth = (typeof CLIENT_AUTH)[number]

export interface ClientPolicy {
  readonly auth: ClientAuth
  /** Names of which the certificate must hold one; undefined: any. */
  readonly allowedSans: readonly string[] | undefined
}

export const requiresCertificate = (auth: ClientAuth): boolean =>
  auth === "RequireAnyClientCert" || auth === "RequireAndVerifyClientCert"

export const verifiesCertificate = (auth: ClientAuth): boolean =>
  auth === "VerifyClientCertIfGiven" || auth === "RequireAndVerifyClientCert"

/** Why a client whose handshake is over is refused; undefined where it is not. */
export function refusal(socket: TLSSocket, { auth, allowedSans }: ClientPolicy): string | undefined {
  if (auth === "NoClientCert") return undefined
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return requiresCertificate(auth) ? "it sent no certificate" : undefined
  if (verifiesCertificate(auth) && !socket.authorized) {
    return `its certificate is not valid: ${String(socket.authorizationError)}`
  }
  if (allowedSans === undefined) return undefined
  const sans = kindsOfNamesIn(certificate.subjectAltName ?? "")
  return sans.some(({ value }) => allowedSans.includes(value)) ? undefined : "its certificate has no allowed name"
}

/** When the certificate expires because of which the client is served, in milliseconds since 1970; undefined: none is. */
export function verifiedUntil(socket: TLSSocket, { auth }: ClientPolicy): number | undefined {
  return verifiesCertificate(auth) ? socket.getPeerX509Certificate()?.validToDate.getTime() : undefined
}

/**
 * DNS names, addresses, e-mail addresses and URIs in Node's text of the extension. Values with a comma or quote stand in
 * JSON quotes there, so that no name can pretend to be two (CVE-2021-44532).
 */
export function kindsOfNamesIn(subjectAltName: string): readonly { readonly kind: string; readonly value: string }[] {
  const entries = subjectAltName.matchAll(/(DNS|IP Address|email|URI|[^:,]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/gy)
  return [...entries].flatMap(([, kind = "", shown = ""]) => {
    const value = shown.startsWith('"') ? (JSON.parse(shown) as string) : shown
    if (kind === "IP Address") return [{ kind, value: isIPv6(value) ? shortIPv6(value) : value }]
    return ["DNS", "email", "URI"].includes(kind) ? [{ kind, value }] : []
  })
}

const shortIPv6 = (address: string): string => new URL(`http://[${address}]`).hostname.slice(1, -1)
