import type { X509Certificate } from "node:crypto"
import { isIP, type Socket } from "node:net"
import { checkServerIdentity, connect, type SecureContext } from "node:tls"
import { type ConnectionFailure, describeFailure } from "#core/http/connection-failure.ts"
import { doneWithin } from "#core/retry/deadline.ts"

export interface ServerCertificate {
  readonly names: readonly string[]
  readonly subject: string
  readonly issuer: string
  readonly notBefore: Date
  readonly notAfter: Date
  /** Subjects of what the server sent, its own first. */
  readonly chain: readonly string[]
}

/** What a TLS handshake shows. Nothing was sent on it. */
export interface Handshake {
  /** Undefined where it did not come so far. */
  readonly certificate: ServerCertificate | undefined
  readonly protocol: string | undefined
  /** All that is wrong, the worst first; none where Prometheus accepts the server. */
  readonly failures: readonly { readonly reason: ConnectionFailure; readonly problem: string }[]
  /** Whether the server ended the connection within `linger` after the handshake. */
  readonly endedByServer: boolean
}

export interface Expected {
  /** In the certificate. */
  readonly name: string
  readonly secureContext: SecureContext
  /** Milliseconds for which the connection is left open, to see whether the server ends it; none: it is closed at once. */
  readonly linger?: number
}

/**
 * Makes a TLS handshake and closes the connection. It is made to the end where the certificate cannot be verified too, so that
 * one can say what stands in it. Never rejects.
 */
export async function handshake(
  socket: Socket,
  { name, secureContext, linger }: Expected,
  signal: AbortSignal,
): Promise<Handshake> {
  const { promise: failing, resolve: failed } = Promise.withResolvers<unknown>()
  const { promise: closing, resolve: closed } = Promise.withResolvers<void>()
  const { promise: ending, resolve: ended } = Promise.withResolvers<undefined>()
  const secure = connect({
    ...{ socket, secureContext, host: name, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false },
    ...(isIP(name) === 0 ? { servername: name } : {}),
  })
  secure.on("error", failed).once("secureConnect", () => ended(undefined))
  secure.once("close", () => {
    closed()
    failed(Object.assign(new Error("closed"), { code: "ECONNRESET" })) // where nothing else was said
  })
  socket.on("error", failed)
  const abort = (): void => failed(new DOMException("", "TimeoutError"))
  if (signal.aborted) abort()
  else signal.addEventListener("abort", abort, { once: true })
  try {
    const failure = await Promise.race([ending, failing])
    if (failure !== undefined)
      return { certificate: undefined, protocol: undefined, failures: [describeFailure(failure)], endedByServer: false }
    const own = secure.getPeerX509Certificate()
    const { authorizationError: code } = secure as { authorizationError?: unknown }
    const failures = own === undefined ? [] : problemsOf(own, name, typeof code === "string" ? code : "")
    const [certificate, protocol] = [own && describe(own), secure.getProtocol() ?? undefined]
    secure.resume() // without a reader its end would not show
    const endedByServer = linger !== undefined && (await doneWithin(linger / 1000, closing))
    return { certificate, protocol, failures, endedByServer }
  } finally {
    signal.removeEventListener("abort", abort)
    secure.destroy()
    socket.destroy()
  }
}

/** OpenSSL names one of several problems, and Node accepts a name that is no alternative name, as Prometheus does not. */
function problemsOf(own: X509Certificate, name: string, code: string): Handshake["failures"] {
  const { subjectAltName } = own
  const identity = checkServerIdentity(name, own.toLegacyObject())
  const wrongName = subjectAltName === undefined || identity !== undefined
  const found = [
    ...(code === "" ? [] : [describeFailure(Object.assign(new Error(""), { code }))]),
    ...(wrongName ? [describeFailure(Object.assign(new Error(""), { code: "HOSTNAME_MISMATCH" }))] : []),
  ]
  return [...new Map(found.map((failure) => [failure.reason, failure])).values()]
}

/** Certificates beyond these of a chain are not described. */
const LONGEST_CHAIN = 8

function describe(own: X509Certificate): ServerCertificate {
  const chain: string[] = []
  for (let one: X509Certificate | undefined = own; one !== undefined && chain.length < LONGEST_CHAIN;) {
    chain.push(shortName(one.subject))
    one = one.issuerCertificate
  }
  return {
    names: namesOf(own),
    subject: shortName(own.subject),
    issuer: shortName(own.issuer),
    notBefore: own.validFromDate,
    notAfter: own.validToDate,
    chain,
  }
}

const namesOf = ({ subjectAltName = "" }: X509Certificate): readonly string[] =>
  [...subjectAltName.matchAll(/(?:DNS|IP Address):([^,\s"]+)/g)].map(([, found = ""]) => found)

/** The common name of `C=..\nO=..\nCN=..`, or its last line. */
function shortName(distinguished: string | undefined): string {
  const lines = (distinguished ?? "").split("\n")
  return lines.find((line) => line.startsWith("CN="))?.slice(3) ?? lines.at(-1) ?? ""
}
