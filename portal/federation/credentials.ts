import { createHmac, createPrivateKey, X509Certificate } from "node:crypto"
import { isAbsolute, join } from "node:path"
import { ConfigurationError } from "#core/errors.ts"
import type { Path } from "#core/config/config-file.ts"
import type { Inputs } from "./inputs.ts"
import type { OutputFile } from "./publish.ts"
import type { SiteEntry } from "./schema.ts"

export type Report = (path: Path, message: string) => void

/**
 * Where Prometheus finds the token of a site, relative to its configuration. Another token has another path, and so the
 * site's job changes: Prometheus 3.5 uses a job's first token until then (github.com/prometheus/common/issues/981).
 */
function tokenPath(site: string, token: string, key: Buffer): string {
  return `tokens/${site}.${createHmac("sha256", key).update(`${site} ${token}`).digest("hex").slice(0, 8)}`
}

export const tlsPath = (site: string, key: TlsFile): string => `tls/${site}.${key.replace("_file", "")}.pem`

export const TLS_FILES = ["ca_file", "cert_file", "key_file"] as const
export type TlsFile = (typeof TLS_FILES)[number]

/** Files that are read for one entry of sites.yaml; names in it are relative to `folder`. */
export interface Source {
  readonly folder: string
  readonly inputs: Inputs
  readonly report: Report
  readonly where: (path: Path) => string
}

/** Secrets of a site as Prometheus will read them. */
export interface Credentials {
  readonly token: OutputFile | undefined
  readonly tls: readonly OutputFile[]
}

/** Reads what an entry names. Faults go to `report`; no message holds a secret. */
export function readCredentials(entry: Partial<SiteEntry>, source: Source): Credentials {
  return { token: readToken(entry, source), tls: readTls(entry, source) }
}

function readToken({ name = "", token }: Partial<SiteEntry>, source: Source): OutputFile | undefined {
  if (token === undefined) return undefined
  const { inputs, report } = source
  const { file, env } = token
  if ((file === undefined) === (env === undefined)) {
    report(["token"], "must have either file or env")
    return undefined
  }
  const path = ["token", file === undefined ? "env" : "file"]
  const text = file === undefined ? ofEnvironment(inputs.env, env) : readInput(file, path, source)
  if (text === undefined) {
    if (file === undefined) report(path, `the variable ${env} is not set`)
    return undefined
  }
  const content = text.replace(/\r?\n$/, "")
  const reason = faultOfToken(content)
  if (reason !== undefined) report(path, `${file ?? env} ${reason}`)
  return { path: tokenPath(name, content, inputs.key), content, mode: 0o640 }
}

/** Not what every object inherits, such as `constructor`. */
function ofEnvironment(env: Inputs["env"], name = ""): string | undefined {
  return Object.hasOwn(env, name) ? env[name] : undefined
}

function faultOfToken(token: string): string | undefined {
  if (token === "") return "is empty; it must hold the token"
  if (/[\r\n]/.test(token)) return "has several lines; it must hold the token and nothing else"
  if (!/^[\x21-\x7e]+$/.test(token)) return "holds characters that a token can't have: only visible ASCII, no spaces"
  return undefined
}

function readTls({ name = "", url, tls }: Partial<SiteEntry>, source: Source): readonly OutputFile[] {
  if (tls === undefined) return []
  const { report } = source
  if (url?.protocol === "http:") report(["tls"], "is of no use with an http:// url")
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined))
    report(["tls"], "must have both cert_file and key_file, or neither")
  const own = TLS_FILES.flatMap((key) => {
    const file = tls[key]
    const content = file === undefined ? undefined : readInput(file, ["tls", key], source)
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

/** Prometheus does not scrape a site at all where they do not, nor tells of it. Faults of each are told on their own. */
function belongTogether(cert: string, key: string): boolean {
  if (faultOfPem("cert_file", cert) !== undefined || faultOfPem("key_file", key) !== undefined) return true
  return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))
}

/** The kinds that Prometheus takes too. */
const KEYS: readonly (string | undefined)[] = ["rsa", "ec", "ed25519"]

function faultOfPem(key: TlsFile, content: string): string | undefined {
  if (key === "key_file")
    return parses(() => KEYS.includes(createPrivateKey(content).asymmetricKeyType))
      ? undefined
      : "holds no unencrypted private key (RSA, ECDSA or Ed25519) in PEM"
  // OpenSSL takes other names for it, Prometheus does not
  return parses(() => content.includes("-----BEGIN CERTIFICATE-----") && new X509Certificate(content).raw.length > 0)
    ? undefined
    : "holds no certificate in PEM"
}

/** The library's reasons name its own internals. */
function parses(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}

function readInput(file: string, path: Path, { folder, inputs, report, where }: Source): string | undefined {
  try {
    return inputs.read(isAbsolute(file) ? file : join(folder, file), where(path))
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    for (const { message } of error.faults) report(path, message)
    return undefined
  }
}
