import { dirname, resolve } from "node:path"
import type { Path } from "#core/config/config-file.ts"
import type { Faults } from "#core/config/faults.ts"
import type { Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { faultOfPassword, faultOfToken } from "#core/http/bearer-token.ts"
import { readTlsFiles } from "#core/http/tls-files.ts"
import type { Accesses, UpstreamAccess } from "./access.ts"
import type { UpstreamEntry } from "./schema.ts"

interface UpstreamContext {
  /** Names of files are relative to its folder. */
  readonly file: string
  readonly where: (path: Path) => string
  readonly read: ReadText
  readonly env: Readonly<Record<string, string | undefined>>
  readonly faults: Faults
  readonly warnings: Fault[]
}

/** All upstreams in their order, with what they need. What is wrong is added to the faults of the context. */
export function readUpstreams(entries: readonly UpstreamEntry[], context: UpstreamContext) {
  const { faults, where, warnings } = context
  const accesses = new Map<string, UpstreamAccess>()
  const urls = entries.map((entry, index) => {
    const path = ["upstreams", index]
    const url = new URL(entry.url)
    const access = readAccess(entry, path, context)
    const isTwice = entries.some((other, at) => at < index && other.url === entry.url)
    if (isTwice && (access !== undefined || accesses.has(url.href))) {
      faults.add(where(path), "is listed twice, and only one can have credentials and TLS settings")
    }
    if (access !== undefined) accesses.set(url.href, access)
    if (access?.authorization !== undefined && url.protocol === "http:" && !LOOPBACK.test(url.hostname)) {
      warnings.push({ where: where(path), message: "its credentials cross the network unencrypted: use https://" })
    }
    return url
  })
  const [first = new URL("http://prometheus:9090"), ...others] = urls
  return { upstreams: [first, ...others] as const, accesses: accesses as Accesses }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

function readAccess(entry: UpstreamEntry, path: Path, context: UpstreamContext): UpstreamAccess | undefined {
  const { token, basic_auth: basicAuth, tls, url } = entry
  if (token === undefined && basicAuth === undefined && tls === undefined) return undefined
  const { faults, where } = context
  if (token !== undefined && basicAuth !== undefined) {
    faults.add(where(path), "has token and basic_auth; a request can have one of them")
  }
  if (tls !== undefined && url.startsWith("http:")) {
    faults.add(where([...path, "tls"]), "has no effect with an http:// upstream")
  }
  const secret =
    token === undefined
      ? basicAuth &&
        readSecret(basicAuth.password_file, basicAuth.password_env, path, ["basic_auth", "password"], context)
      : readSecret(token.file, token.env, path, ["token"], context)
  const basic = basicAuth && `Basic ${Buffer.from(`${basicAuth.username}:${secret ?? ""}`).toString("base64")}`
  const shown = [
    token && "with a token",
    basicAuth && `as user ${basicAuth.username}`,
    tls?.cert_file && "with a client certificate",
    tls?.ca_file && `trusting ${tls.ca_file}`,
  ]
  return {
    authorization: token === undefined ? basic : `Bearer ${secret ?? ""}`,
    tls: tls && readTls(tls, path, context),
    shown: shown.filter((part) => part !== undefined && part !== "").join(", "),
  }
}

/** `key`: of `token`, whose keys are file and env, or of `password`, whose are password_file and password_env. */
function readSecret(
  file: string | undefined,
  variable: string | undefined,
  path: Path,
  key: readonly string[],
  context: UpstreamContext,
): string | undefined {
  const { read, env, faults, where } = context
  const [first = "", name] = key
  const keyOf = (kind: string): string => where([...path, first, name === undefined ? kind : `${name}_${kind}`])
  const at = keyOf(file === undefined ? "env" : "file")
  const fromVariable = variable !== undefined && Object.hasOwn(env, variable) ? env[variable] : undefined
  if (file === undefined && fromVariable === undefined) {
    faults.add(at, `the variable ${variable} is not set`)
    return undefined
  }
  const text = file === undefined ? fromVariable : faults.collect(() => read(resolve(dirname(context.file), file), at))
  const secret = text?.trim()
  const problem = secret === undefined ? undefined : (name === undefined ? faultOfToken : faultOfPassword)(secret)
  if (problem !== undefined) faults.add(at, `${file ?? variable} ${problem}`)
  return secret
}

function readTls(tls: NonNullable<UpstreamEntry["tls"]>, path: Path, { file, read, faults, where }: UpstreamContext) {
  const at = (key: string): string => where([...path, "tls", key])
  const find = (name: string | undefined): string | undefined => name && resolve(dirname(file), name)
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
    faults.add(where([...path, "tls"]), "must have both cert_file and key_file, or neither")
  }
  const files = { ca: find(tls.ca_file), cert: find(tls.cert_file), key: find(tls.key_file) }
  const found = faults.collect(() =>
    readTlsFiles(files, { ca: at("ca_file"), cert: at("cert_file"), key: at("key_file") }, read),
  )
  return found && { ...found, content: `${found.content} ${tls.server_name}`, serverName: tls.server_name }
}
