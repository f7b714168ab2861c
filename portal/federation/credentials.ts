import { createHmac, type KeyObject } from "node:crypto"
import type { Path } from "#core/config/config-file.ts"
import { faultOfToken } from "#core/http/bearer-token.ts"
import { certificateIn, privateKeyIn } from "#core/http/pem.ts"
import type { OutputFile } from "./publish.ts"
import type { SiteEntry } from "./schema.ts"

export type Report = (path: Path, message: string) => void

/**
 * Where Prometheus finds the token of a site, relative to its configuration. Another token has another path, and so the
 * site's job changes: some versions of Prometheus use a job's first token until then (prometheus/common#981).
 */
function tokenPath(site: string, token: string, key: Buffer): string {
  return `tokens/${site}.${createHmac("sha256", key).update(`${site} ${token}`).digest("hex").slice(0, 8)}`
}

export const tlsPath = (site: string, key: TlsFile): string => `tls/${site}.${key.replace("_file", "")}.pem`

export const TLS_FILES = ["ca_file", "cert_file", "key_file"] as const
export type TlsFile = (typeof TLS_FILES)[number]

/** How one entry of sites.yaml is read; paths are of keys below it. */
export interface EntryReader {
  readonly env: Readonly<Record<string, string | undefined>>
  /** See Inputs. */
  readonly key: Buffer
  /** The text of a file that the entry names; undefined where it cannot be read, which is reported. */
  readonly read: (file: string, path: Path) => string | undefined
  readonly report: Report
}

/** The token in a list of its own; none where it cannot be read. Faults go to `report`; no message holds a secret. */
export function readToken({ name = "", token }: Partial<SiteEntry>, reader: EntryReader): readonly OutputFile[] {
  if (token === undefined) return []
  const { env, key, read, report } = reader
  const { file, env: variable = "" } = token
  const path = ["token", file === undefined ? "env" : "file"]
  // not what every object inherits, such as `constructor`
  const fromEnv = Object.hasOwn(env, variable) ? env[variable] : undefined
  const text = file === undefined ? fromEnv : read(file, path)
  if (text === undefined) {
    if (file === undefined) report(path, `the variable ${variable} is not set`)
    return []
  }
  const content = text.replace(/\r?\n$/, "")
  const reason = faultOfToken(content)
  if (reason !== undefined) report(path, `${file ?? variable} ${reason}`)
  return [{ path: tokenPath(name, content, key), content, mode: 0o640 }]
}

/** The same for the files of `tls`. */
export function readTls({ name = "", url, tls }: Partial<SiteEntry>, reader: EntryReader): readonly OutputFile[] {
  if (tls === undefined) return []
  const { read, report } = reader
  if (url?.protocol === "http:") report(["tls"], "has no effect with an http:// url")
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined))
    report(["tls"], "must have both cert_file and key_file, or neither")
  const contents = new Map<TlsFile, string>()
  for (const key of TLS_FILES) {
    const file = tls[key]
    const content = file === undefined ? undefined : read(file, ["tls", key])
    if (content === undefined) continue
    contents.set(key, content)
    const usable = key === "key_file" ? usableKey(content) : certificateIn(content)
    if (usable === undefined) report(["tls", key], `${file} holds no ${EXPECTED[key]} in PEM`)
  }
  const certificate = certificateIn(contents.get("cert_file") ?? "")
  const privateKey = usableKey(contents.get("key_file") ?? "")
  // Prometheus does not scrape a site at all where they do not belong together, without a message
  if (certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey))
    report(["tls", "key_file"], `${tls.key_file} is not the key of the certificate in ${tls.cert_file}`)
  return [...contents].map(([key, content]) => ({ path: tlsPath(name, key), content, mode: 0o640 }))
}

const EXPECTED: Readonly<Record<TlsFile, string>> = {
  ca_file: "certificate",
  cert_file: "certificate",
  key_file: "unencrypted private key (RSA, ECDSA or Ed25519)",
}

/** Of a kind that Prometheus supports. */
function usableKey(content: string): KeyObject | undefined {
  const key = privateKeyIn(content)
  return ["rsa", "ec", "ed25519"].includes(key?.asymmetricKeyType ?? "") ? key : undefined
}
