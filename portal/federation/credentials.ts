import { createHash, createHmac } from "node:crypto"
import type { Path } from "#core/config/config-file.ts"
import { faultOfPassword, faultOfToken } from "#core/http/bearer-token.ts"
import type { OutputFile } from "./publish.ts"
import type { SiteEntry } from "./schema.ts"

export type Report = (path: Path, message: string) => void

/**
 * Where Prometheus finds the secret of a site, relative to its configuration. Another secret has another path, and so the
 * site's job changes: some versions of Prometheus use a job's first token until then (prometheus/common#981).
 */
function secretPath(site: string, secret: string, key: Buffer): string {
  return `tokens/${site}.${createHmac("sha256", key).update(`${site} ${secret}`).digest("hex").slice(0, 8)}`
}

/** The same for a token that the portal signs: of what it is for, or, for a name of its own, of the token. */
export const mintedPath = (site: string, of: string): string =>
  `tokens/${site}.jwt.${createHash("sha256").update(of).digest("hex").slice(0, 8)}`

/** The keys by which a site may know the portal, beside a client certificate. */
export const CREDENTIALS = ["token", "basic_auth", "authorization", "oauth2", "jwt"] as const

/** How one entry of sites.yaml is read; paths are of keys below it. */
export interface EntryReader {
  readonly env: Readonly<Record<string, string | undefined>>
  /** See Inputs. */
  readonly key: Buffer
  /** The text of a file that the entry names; undefined where it cannot be read, which is reported. */
  readonly read: (file: string, path: Path) => string | undefined
  readonly report: Report
}

/** Where one secret stands, and why a text cannot be it. */
interface Secret {
  readonly file: string | undefined
  readonly variable: string | undefined
  readonly keys: { readonly file: Path; readonly env: Path }
  readonly faultOf: (text: string) => string | undefined
}

function secretOf({ token, basic_auth, authorization, oauth2 }: Partial<SiteEntry>): Secret | undefined {
  if (token !== undefined) {
    const keys = { file: ["token", "file"], env: ["token", "env"] }
    return { file: token.file, variable: token.env, keys, faultOf: faultOfToken }
  }
  const keysOf = (...[key, name]: [string, string]) => ({ file: [key, `${name}_file`], env: [key, `${name}_env`] })
  if (basic_auth !== undefined) {
    const { password_file: file, password_env: variable } = basic_auth
    return { file, variable, keys: keysOf("basic_auth", "password"), faultOf: faultOfPassword }
  }
  if (authorization !== undefined) {
    const { credentials_file: file, credentials_env: variable } = authorization
    return { file, variable, keys: keysOf("authorization", "credentials"), faultOf: faultOfHeader }
  }
  if (oauth2 === undefined) return undefined
  const { client_secret_file: file, client_secret_env: variable } = oauth2
  return { file, variable, keys: keysOf("oauth2", "client_secret"), faultOf: faultOfPassword }
}

function faultOfHeader(text: string): string | undefined {
  const reason = faultOfPassword(text)
  return reason ?? (/^[ -~]+$/.test(text) ? undefined : "holds characters that no header can have: only visible ASCII")
}

/** The secret in a list of its own; none where it cannot be read. Faults go to `report`; no message holds a secret. */
export function readSecret(entry: Partial<SiteEntry>, { env, key, read, report }: EntryReader): readonly OutputFile[] {
  const secret = secretOf(entry)
  if (secret === undefined) return []
  const { file, variable = "", keys, faultOf } = secret
  const path = file === undefined ? keys.env : keys.file
  // not what every object inherits, such as `constructor`
  const fromEnv = Object.hasOwn(env, variable) ? env[variable] : undefined
  const text = file === undefined ? fromEnv : read(file, path)
  if (text === undefined) {
    if (file === undefined) report(path, `the variable ${variable} is not set`)
    return []
  }
  const content = text.replace(/\r?\n$/, "")
  const reason = faultOf(content)
  if (reason !== undefined) report(path, `${file ?? variable} ${reason}`)
  return [{ path: secretPath(entry.name ?? "", content, key), content, mode: 0o640 }]
}
