import type { ServerOptions } from "node:https"
import { type Certificate, makeAuthority } from "../certificates.ts"
import type { FaultySite } from "./fault.ts"
import { tcpSite, tlsSite } from "./servers.ts"

const DAY = 86_400_000
const authority = makeAuthority("fault authority")
const LOOPBACK = ["DNS:localhost", "IP:127.0.0.1"]
const inDays = (days: number): Date => new Date(Date.now() + days * DAY)
const good = authority.issue({ name: "site", sans: LOOPBACK, notAfter: inDays(25) })

/** The portal trusts the authority of the faults. */
const TRUSTING = { entry: { tls: { ca_file: "fault-ca.pem" } }, files: { "fault-ca.pem": authority.cert } }

const withCertificate = (
  certificate: Certificate,
  options: ServerOptions = {},
  tls: Readonly<Record<string, string>> = {},
): Promise<FaultySite> =>
  tlsSite({ ...certificate, ...options }, "127.0.0.1", {
    ...TRUSTING,
    entry: { tls: { ...TRUSTING.entry.tls, ...tls } },
  })

/** Nothing is wrong with it; its options for others that want a good certificate. */
export const trusted = Object.assign((): Promise<FaultySite> => withCertificate(good), {
  options: good,
  additions: TRUSTING,
})

export const expired = (): Promise<FaultySite> =>
  withCertificate(authority.issue({ name: "site", sans: LOOPBACK, notAfter: inDays(-3) }))

/** Valid for 30 days, of which none has come. */
export const notYetValid = (): Promise<FaultySite> =>
  withCertificate(authority.issue({ name: "site", sans: LOOPBACK, notAfter: inDays(40) }))

/** Nothing fails yet. */
export const expiresSoon = (): Promise<FaultySite> =>
  withCertificate(authority.issue({ name: "site", sans: LOOPBACK, notAfter: inDays(5) }))

/** Of another authority than the one that the portal trusts. */
export const unknownAuthority = (): Promise<FaultySite> =>
  withCertificate(makeAuthority("another authority").issue({ name: "site", sans: LOOPBACK }))

export const otherNames = (): Promise<FaultySite> =>
  byName(authority.issue({ name: "site", sans: ["DNS:other.example.org", "DNS:www.example.org"] }))

/** The url has a name, not an address. */
async function byName(certificate: Certificate): Promise<FaultySite> {
  const { entry, ...site } = await withCertificate(certificate)
  return { ...site, entry: { ...entry, url: entry.url.replace("127.0.0.1", "localhost") } }
}

/** The certificate is right for the url, and not for the server_name of sites.yaml. */
export const otherServerName = (): Promise<FaultySite> =>
  withCertificate(authority.issue({ name: "site", sans: ["DNS:localhost"] }), {}, { server_name: "site-a.example.org" })

/** The url has an address, of which the certificate does not speak. */
export const withoutAddress = (): Promise<FaultySite> =>
  withCertificate(authority.issue({ name: "site", sans: ["DNS:localhost"] }))

/** A common name is no name to Go since 1.15. */
export const commonNameOnly = (): Promise<FaultySite> => byName(authority.issue({ name: "localhost" }))

export const forClientsOnly = (): Promise<FaultySite> =>
  withCertificate(authority.issue({ name: "site", sans: LOOPBACK, usage: "client" }))

export const oldVersionOnly = (): Promise<FaultySite> =>
  withCertificate(good, { maxVersion: "TLSv1.2" }, { min_version: "TLS13" })

const wantsCertificate = (options: ServerOptions): Promise<FaultySite> =>
  withCertificate(good, { requestCert: true, rejectUnauthorized: true, ca: authority.cert, ...options })

export const wantsClientCertificate = (): Promise<FaultySite> => wantsCertificate({ minVersion: "TLSv1.3" })
/** With TLS 1.2 a server does not say what it misses. */
export const wantsClientCertificateInTls12 = (): Promise<FaultySite> => wantsCertificate({ maxVersion: "TLSv1.2" })

const strangerPair = makeAuthority("another authority").issue({ name: "portal" })
/** The portal has a client certificate, of an authority that the site does not know. */
const UNKNOWN_CLIENT = {
  entry: { tls: { ...TRUSTING.entry.tls, cert_file: "fault-client.pem", key_file: "fault-client.key" } },
  files: { ...TRUSTING.files, "fault-client.pem": strangerPair.cert, "fault-client.key": strangerPair.key },
}

/** Node's servers close the connection, or reset it. */
export async function closesOnClientCertificate(): Promise<FaultySite> {
  const { entry, files, ...site } = await wantsCertificate({})
  return { ...site, entry: { ...entry, ...UNKNOWN_CLIENT.entry }, files: { ...files, ...UNKNOWN_CLIENT.files } }
}

/** A fatal alert (RFC 8446, section 6.2) in place of a handshake. */
const alerts = (code: number, additions: typeof TRUSTING): Promise<FaultySite> =>
  tcpSite((socket) => socket.once("data", () => socket.end(Buffer.of(0x15, 3, 1, 0, 2, 2, code))), "https", additions)

/** unknown_ca */
export const refusesClientCertificate = (): Promise<FaultySite> => alerts(48, UNKNOWN_CLIENT)
/** handshake_failure, as from a server without a common cipher. */
export const refusesHandshake = (): Promise<FaultySite> => alerts(40, TRUSTING)
