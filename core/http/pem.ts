import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto"

/** The first certificate of a PEM text; undefined where it holds none. */
export function certificateIn(text: string): X509Certificate | undefined {
  // OpenSSL accepts other names for it, Prometheus does not
  return text.includes("-----BEGIN CERTIFICATE-----") ? attempt(() => new X509Certificate(text)) : undefined
}

/** The private key of a PEM text; undefined where it holds none without a passphrase. */
export function privateKeyIn(text: string): KeyObject | undefined {
  return attempt(() => createPrivateKey(text))
}

/** Reports nothing: OpenSSL's reasons name its own internals. */
function attempt<T>(make: () => T): T | undefined {
  try {
    return make()
  } catch {
    return undefined
  }
}

/** What a certificate or its private key is not, each with what it is about; none where a server or client can use them. */
export function faultsOfPair(cert: string, key: string): readonly (readonly [of: "cert" | "key", message: string])[] {
  const [certificate, secret] = [certificateIn(cert), privateKeyIn(key)]
  if (certificate !== undefined && secret !== undefined)
    return certificate.checkPrivateKey(secret) ? [] : [["key", "does not belong to the certificate"]]
  return [
    ...(certificate === undefined ? [["cert", "holds no certificate in PEM format"] as const] : []),
    ...(secret === undefined ? [["key", "holds no private key in PEM format without a passphrase"] as const] : []),
  ]
}
