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
