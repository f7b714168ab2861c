import { dirname, resolve } from "node:path"
import { createSecureContext, type SecureContextOptions } from "node:tls"
import { z } from "zod"
import { CLIENT_AUTH, type ClientPolicy, requiresCertificate, verifiesCertificate } from "./client-certificate.ts"
import { certificateIn, faultsOfPair } from "../pem.ts"
import type { Faults } from "#core/config/faults.ts"
import { explain } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"

/** Go's names of the suites up to TLS 1.2 that it still offers, and OpenSSL's. Those of TLS 1.3 cannot be chosen, as in Go. */
const CIPHERS = {
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA: "ECDHE-ECDSA-AES128-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA: "ECDHE-ECDSA-AES256-SHA",
  TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: "ECDHE-RSA-AES128-SHA",
  TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: "ECDHE-RSA-AES256-SHA",
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256: "ECDHE-ECDSA-AES128-GCM-SHA256",
  TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384: "ECDHE-ECDSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256: "ECDHE-RSA-AES128-GCM-SHA256",
  TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: "ECDHE-RSA-AES256-GCM-SHA384",
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-RSA-CHACHA20-POLY1305",
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
  TLS_AES_128_GCM_SHA256: undefined,
  TLS_AES_256_GCM_SHA384: undefined,
  TLS_CHACHA20_POLY1305_SHA256: undefined,
} as const
const CURVES = { CurveP256: "P-256", CurveP384: "P-384", CurveP521: "P-521", X25519: "X25519" } as const
const VERSIONS = { TLS12: "TLSv1.2", TLS13: "TLSv1.3" } as const

const namesOf = <T extends object>(table: T) => Object.keys(table) as (keyof T & string)[]
const version = z.enum(namesOf(VERSIONS), {
  error: "must be TLS12 or TLS13: older versions are broken and not offered",
})

export const tlsSchema = z.strictObject({
  cert: z.string().nullish(),
  key: z.string().nullish(),
  client_ca: z.string().nullish(),
  cert_file: z.string().nullish(),
  key_file: z.string().nullish(),
  client_ca_file: z.string().nullish(),
  client_auth_type: z.enum(["", "RequireClientCert", ...CLIENT_AUTH]).nullish(),
  client_allowed_sans: z.array(z.string()).nullish(),
  min_version: version.default("TLS12"),
  max_version: version.default("TLS13"),
  cipher_suites: z.array(z.enum(namesOf(CIPHERS))).nullish(),
  prefer_server_cipher_suites: z.boolean().default(true),
  curve_preferences: z.array(z.enum(namesOf(CURVES))).nullish(),
})

export interface TlsConfig {
  readonly context: SecureContextOptions
  readonly clients: ClientPolicy
  /** Of the server's own certificate. */
  readonly validity: { readonly from: Date; readonly to: Date }
}

interface TlsSource {
  /** The web configuration file; paths in it are relative to its folder. */
  readonly file: string
  readonly where: (path: readonly string[]) => string
  readonly read: ReadText
}

/** Reads certificates and keys and checks that they belong together. Where it finds faults it returns undefined. */
export function readTls(
  given: z.infer<typeof tlsSchema>,
  { file, where, read }: TlsSource,
  faults: Faults,
): TlsConfig | undefined {
  const fault: FaultAt = (key, message) => faults.add(where(["tls_server_config", key]), message)
  const pemOf = (key: "cert" | "key" | "client_ca"): string | undefined => {
    const inline = given[key] || undefined
    const path = given[`${key}_file`] || undefined
    if (inline !== undefined && path !== undefined) fault(key, `give either ${key} or ${key}_file`)
    if (path === undefined) return inline
    const place = where(["tls_server_config", `${key}_file`])
    return faults.collect(() => read(resolve(dirname(file), path), place)) ?? ""
  }
  const [cert, key, ca] = [pemOf("cert"), pemOf("key"), pemOf("client_ca")]
  const keyOf = (name: "cert" | "key" | "client_ca"): string => (given[`${name}_file`] ? `${name}_file` : name)
  const clients = clientPolicy(given, ca !== undefined, fault)
  const context = {
    minVersion: VERSIONS[given.min_version],
    maxVersion: VERSIONS[given.max_version],
    honorCipherOrder: given.prefer_server_cipher_suites,
    ...ciphers(given, fault),
    ...(given.curve_preferences?.length && {
      ecdhCurve: given.curve_preferences.map((name) => CURVES[name]).join(":"),
    }),
  }
  if (given.min_version === "TLS13" && given.max_version === "TLS12") fault("min_version", "is above max_version")
  if (cert === undefined) fault("cert_file", "is missing: give cert_file or cert")
  if (key === undefined) fault("key_file", "is missing: give key_file or key")
  if (faults.any) return undefined

  const leaf = certificateIn(cert ?? "")
  for (const [of, message] of faultsOfPair(cert ?? "", key ?? "")) fault(keyOf(of), message)
  if (leaf !== undefined && leaf.validToDate < new Date())
    fault(keyOf("cert"), `the certificate expired on ${leaf.validToDate.toISOString()}`)
  if (ca !== undefined && certificateIn(ca) === undefined) {
    fault(keyOf("client_ca"), "holds no certificate in PEM format")
  }
  const whole = { ...context, cert, key, ...(ca === undefined ? {} : { ca }) }
  if (!faults.any) {
    try {
      createSecureContext(whole)
    } catch (error) {
      faults.add(where(["tls_server_config"]), `OpenSSL does not accept it: ${explain(error)}`)
    }
  }
  if (leaf === undefined || faults.any) return undefined
  return { context: whole, clients, validity: { from: leaf.validFromDate, to: leaf.validToDate } }
}

type FaultAt = (key: string, message: string) => void

function clientPolicy(given: z.infer<typeof tlsSchema>, hasCa: boolean, fault: FaultAt): ClientPolicy {
  const named = given.client_auth_type || "NoClientCert"
  const auth = named === "RequireClientCert" ? "RequireAnyClientCert" : named
  if (hasCa && auth === "NoClientCert") {
    fault("client_auth_type", "is missing: without one no client certificate is requested")
  }
  if (!hasCa && verifiesCertificate(auth)) {
    fault("client_auth_type", `${auth} needs client_ca_file or client_ca: whose certificates are accepted`)
  }
  if (given.client_allowed_sans && !requiresCertificate(auth)) {
    fault("client_allowed_sans", "needs client_auth_type RequireAndVerifyClientCert or RequireAnyClientCert")
  }
  return { auth, allowedSans: given.client_allowed_sans ?? undefined }
}

function ciphers(given: z.infer<typeof tlsSchema>, fault: FaultAt): SecureContextOptions {
  if (!given.cipher_suites?.length) return {}
  const names = given.cipher_suites.flatMap((name) => CIPHERS[name] ?? [])
  if (names.length > 0) return { ciphers: names.join(":") }
  if (given.max_version === "TLS12") fault("cipher_suites", "holds no suite of TLS 1.2, which max_version requires")
  return { minVersion: "TLSv1.3" }
}
