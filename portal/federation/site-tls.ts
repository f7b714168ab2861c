import type { KeyObject } from "node:crypto"
import type { Path } from "#core/config/config-file.ts"
import { certificateIn, privateKeyIn } from "#core/http/pem.ts"
import type { Tls } from "#core/http/credential-schema.ts"
import type { EntryReader } from "./credentials.ts"
import type { OutputFile } from "./publish.ts"
import type { SiteEntry } from "./schema.ts"

/** `kind`: `ca_file`, or `oauth2-ca_file` for the server of oauth2. */
const tlsPath = (site: string, kind: string): string => `tls/${site}.${kind.replace("_file", "")}.pem`

const TLS_FILES = ["ca_file", "cert_file", "key_file"] as const
type TlsFile = (typeof TLS_FILES)[number]

/** All TLS files of a site: those for itself, and those for the server of its oauth2. Faults go to the reader. */
export function readTls(entry: Partial<SiteEntry>, reader: EntryReader): readonly OutputFile[] {
  const { name = "", url, tls, oauth2 } = entry
  return [
    ...readTlsFiles(name, { tls, url, at: ["tls"], prefix: "" }, reader),
    ...readTlsFiles(name, { tls: oauth2?.tls_config, url: oauth2?.token_url, ...OF_OAUTH2 }, reader),
  ]
}

export const OF_OAUTH2 = { at: ["oauth2", "tls_config"], prefix: "oauth2-" }

interface TlsKey {
  readonly tls: Tls | undefined
  readonly url: URL | undefined
  readonly at: Path
  /** Of the files that are written. */
  readonly prefix: string
}

function readTlsFiles(name: string, { tls, url, at, prefix }: TlsKey, { read, report }: EntryReader): OutputFile[] {
  if (tls === undefined) return []
  if (url?.protocol === "http:") report(at, `has no effect with an http:// ${prefix === "" ? "url" : "token_url"}`)
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined))
    report(at, "must have both cert_file and key_file, or neither")
  const contents = new Map<TlsFile, string>()
  for (const key of TLS_FILES) {
    const file = tls[key]
    const content = file === undefined ? undefined : read(file, [...at, key])
    if (content === undefined) continue
    contents.set(key, content)
    const usable = key === "key_file" ? usableKey(content) : certificateIn(content)
    if (usable === undefined) report([...at, key], `${file} holds no ${EXPECTED[key]} in PEM`)
  }
  const certificate = certificateIn(contents.get("cert_file") ?? "")
  const privateKey = usableKey(contents.get("key_file") ?? "")
  // Prometheus does not scrape a site at all where they do not belong together, without a message
  if (certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey))
    report([...at, "key_file"], `${tls.key_file} is not the key of the certificate in ${tls.cert_file}`)
  return [...contents].map(([key, content]) => ({ path: tlsPath(name, prefix + key), content, mode: 0o640 }))
}

/** What stands in the files of `tls`, of what was read for Prometheus. */
export function tlsContents(name: string, tls: Tls, prefix: string, contents: ReadonlyMap<string, string>) {
  const [ca, cert, key] = TLS_FILES.map((kind) =>
    tls[kind] === undefined ? undefined : contents.get(tlsPath(name, prefix + kind)),
  )
  return { ca, cert, key }
}

/** As a scrape job has it, with the files that are written. */
export function tlsConfig(name: string, tls: Tls, prefix: string): object {
  const files = TLS_FILES.filter((key) => tls[key] !== undefined).map(
    (key) => [key, tlsPath(name, prefix + key)] as const,
  )
  return { ...Object.fromEntries(files), server_name: tls.server_name, min_version: tls.min_version }
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
