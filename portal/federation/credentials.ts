import { createHmac } from "node:crypto"
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

/** Secrets of a site as Prometheus will read them. */
export interface SiteSecrets {
  readonly token: OutputFile | undefined
  readonly tls: readonly OutputFile[]
}

/** Reads what an entry names. Faults go to `report`; no message holds a secret. */
export function readCredentials(entry: Partial<SiteEntry>, reader: EntryReader): SiteSecrets {
  return { token: readToken(entry, reader), tls: readTls(entry, reader) }
}

function readToken({ name = "", token }: Partial<SiteEntry>, reader: EntryReader): OutputFile | undefined {
  if (token === undefined) return undefined
  const { env: variables, key, read, report } = reader
  const { file, env } = token
  if ((file === undefined) === (env === undefined)) {
    report(["token"], "must have either file or env")
    return undefined
  }
  const path = ["token", file === undefined ? "env" : "file"]
  const text = file === undefined ? ofEnvironment(variables, env) : read(file, path)
  if (text === undefined) {
    if (file === undefined) report(path, `the variable ${env} is not set`)
    return undefined
  }
  const content = text.replace(/\r?\n$/, "")
  const reason = faultOfToken(content)
  if (reason !== undefined) report(path, `${file ?? env} ${reason}`)
  return { path: tokenPath(name, content, key), content, mode: 0o640 }
}

/** Not what every object inherits, such as `constructor`. */
function ofEnvironment(env: EntryReader["env"], name = ""): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined
}

function readTls({ name = "", url, tls }: Partial<SiteEntry>, reader: EntryReader): readonly OutputFile[] {
  if (tls === undefined) return []
  const { read, report } = reader
  if (url?.protocol === "http:") report(["tls"], "has no effect with an http:// url")
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined))
    report(["tls"], "must have both cert_file and key_file, or neither")
  const own = TLS_FILES.flatMap((key) => {
    const file = tls[key]
    const content = file === undefined ? undefined : read(file, ["tls", key])
    if (content === undefined) return []
    const reason = faultOfPem(key, content)
    if (reason !== undefined) report(["tls", key], `${file} ${reason}`)
    return [{ path: tlsPath(name, key), content, mode: 0o640 }]
  })
  const [cert, key] = (["cert_file", "key_file"] as const).map((file) =>
    own.find(({ path }) => path === tlsPath(name, file)),
  )
  if (cert !== undefined && key !== undefined && !belongTogether(cert.content, key.content))
    report(["tls", "key_file"], `${tls.key_file} is not the key of the certificate in ${tls.cert_file}`)
  return own
}

/** Prometheus does not scrape a site at all where they do not, without a message. Faults of each file are reported apart. */
function belongTogether(cert: string, key: string): boolean {
  const [certificate, privateKey] = [certificateIn(cert), privateKeyIn(key)]
  if (faultOfPem("key_file", key) !== undefined || certificate === undefined || privateKey === undefined) return true
  return certificate.checkPrivateKey(privateKey)
}

/** The kinds that Prometheus supports. */
const KEYS: readonly (string | undefined)[] = ["rsa", "ec", "ed25519"]

function faultOfPem(key: TlsFile, content: string): string | undefined {
  if (key !== "key_file") return certificateIn(content) === undefined ? "holds no certificate in PEM" : undefined
  return KEYS.includes(privateKeyIn(content)?.asymmetricKeyType)
    ? undefined
    : "holds no unencrypted private key (RSA, ECDSA or Ed25519) in PEM"
}
