import { dirname, resolve } from "node:path"
import type { CertificateRule, Issuer, TokenCredential } from "#core/auth/credentials.ts"
import { createIssuer } from "#core/auth/jwt/issuer.ts"
import { keysOfFile, type KeySets } from "#core/auth/jwt/key-sets.ts"
import type { KeySet } from "#core/auth/jwt/remote-keys.ts"
import type { CertificateEntry, IssuerEntry } from "#core/auth/schema.ts"
import { readTokenEntry } from "#core/auth/tokens.ts"
import type { Path } from "#core/config/config-file.ts"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import type { ReadText } from "#core/files/read-text.ts"
import type { SelectorReader } from "#core/promql/selector-reader.ts"
import { readClient } from "./clients.ts"
import { withoutSlash } from "./environment.ts"
import { clientsOfTokens } from "./narrow.ts"
import { readPolicy, type ReadPolicy } from "./read.ts"
import type { Grant } from "./schema.ts"
import type { Client } from "./types.ts"
import type { LoadedPolicy } from "./watch.ts"

export interface PolicyContext {
  /** For tokens that are taken from variables. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now: () => Date
  readonly keySets: KeySets
  readonly selectors: SelectorReader
  /** Why client certificates can't prove anything on this server, in half a sentence; undefined where they can. */
  readonly noCertificates?: () => Promise<string | undefined>
}

const MEMORY = 256 * 2 ** 20

/** Makes a policy of a file and all that it names. Throws ConfigurationError with every fault. */
export async function loadPolicy(file: string, context: PolicyContext, readText: ReadText): Promise<LoadedPolicy> {
  const read = await readPolicy(file, readText)
  const loading = new Loading(file, read, context, readText)
  const { value } = read
  const tokens = await loading.tokens()
  const issuers = await loading.issuers()
  const certificates = await loading.certificates()
  context.selectors.finish()
  if (loading.clients.length === 0) {
    loading.fault([], "names nobody who may read anything; add an entry to tokens, jwt or certificates")
  }
  loading.checkTwins(tokens)
  if (loading.faults.length > 0) throw new ConfigurationError(loading.faults)
  const [first = "", ...others] = value.upstreams
  return {
    policy: {
      tokens,
      issuers,
      certificates,
      clients: loading.clients,
      upstreams: [withoutSlash(new URL(first)), ...others.map((url) => withoutSlash(new URL(url)))],
      path: value.path,
      reuse: value.reuse,
      memory: value.limits.memory ?? MEMORY,
    },
    warnings: loading.warnings,
  }
}

/** One reading of a policy: what it found so far. */
class Loading {
  readonly clients: Client[] = []
  readonly faults: Fault[] = []
  readonly warnings: Fault[] = []
  readonly #file: string
  readonly #read: ReadPolicy
  readonly #context: PolicyContext
  readonly #readText: ReadText
  readonly #names = new Map<string, string>()

  constructor(file: string, read: ReadPolicy, context: PolicyContext, readText: ReadText) {
    this.#file = file
    this.#read = read
    this.#context = context
    this.#readText = readText
  }

  fault(path: Path, message: string): void {
    this.faults.push({ where: this.#read.where(path), message })
  }

  async tokens(): Promise<readonly TokenCredential<Client>[]> {
    const { env, now } = this.#context
    const sources = { file: this.#file, env, now: now(), where: this.#read.where, read: this.#readText }
    const credentials: TokenCredential<Client>[] = []
    for (const [index, entry] of this.#read.value.tokens.entries()) {
      const path = ["tokens", index]
      const client = await this.#client(entry.name, entry, path)
      const found = readTokenEntry(entry, path, client, sources)
      credentials.push(...found.credentials)
      this.faults.push(...found.faults)
      this.warnings.push(...found.warnings)
    }
    return credentials
  }

  async issuers(): Promise<readonly Issuer<Client>[]> {
    const issuers: Issuer<Client>[] = []
    for (const [index, entry] of this.#read.value.jwt.entries()) {
      const path = ["jwt", index]
      const client = await this.#client(entry.name ?? nameOf(entry), entry, path)
      const keys = this.#keys(entry, path)
      if (keys !== undefined) issuers.push(createIssuer(entry, client, keys, clientsOfTokens(client)))
    }
    return issuers
  }

  #keys({ jwks: { url, file, ca_file: ca }, issuer }: IssuerEntry, path: Path): KeySet | undefined {
    const at = (key: "url" | "file" | "ca_file"): string => this.#read.where([...path, "jwks", key])
    const textOf = (key: "file" | "ca_file", name: string): string =>
      this.#readText(resolve(dirname(this.#file), name), at(key))
    try {
      if (file !== undefined) return keysOfFile(textOf("file", file), file, at("file"))
      if (url?.startsWith("http:")) {
        const message = `the keys of ${issuer} come over plain http: whoever is on the way can replace them`
        this.warnings.push({ where: at("url"), message })
      }
      return this.#context.keySets.ofUrl(new URL(url ?? ""), ca === undefined ? undefined : textOf("ca_file", ca))
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      this.faults.push(...error.faults)
      return undefined
    }
  }

  async certificates(): Promise<readonly CertificateRule<Client>[]> {
    const entries = this.#read.value.certificates
    const impossible = entries.length === 0 ? undefined : await this.#context.noCertificates?.()
    if (impossible !== undefined) this.fault(["certificates"], impossible)
    const owners = new Map<string, string>()
    const rules: CertificateRule<Client>[] = []
    for (const [index, entry] of entries.entries()) {
      const path = ["certificates", index]
      const client = await this.#client(entry.name, entry, path)
      const names = namesOf(entry)
      if (names.length === 0) this.fault(path, "has no name of a certificate; give san or common_name")
      for (const name of names) {
        const other = owners.get(name)
        if (other !== undefined) this.fault(path, `${name} stands for ${other} too`)
        owners.set(name, `${client.name} (${client.where})`)
      }
      rules.push({ owner: client, names })
    }
    return rules
  }

  async #client(name: string, grant: Grant, path: Path): Promise<Client> {
    const { value, where } = this.#read
    const client = await readClient(name, grant, path, where, value.limits, this.#context.selectors, this)
    const other = this.#names.get(name)
    if (other !== undefined)
      this.fault([...path, "name"], `the name ${name} is taken by ${other}; each entry has its own`)
    this.#names.set(name, other ?? client.where)
    this.clients.push(client)
    return client
  }

  /** Whose token it is would be a matter of order. */
  checkTwins(tokens: readonly TokenCredential<Client>[]): void {
    const first = new Map<string, TokenCredential<Client>>()
    for (const token of tokens) {
      const hash = token.sha256.toString("hex")
      const twin = first.get(hash)
      if (twin === undefined) first.set(hash, token)
      else {
        const message = `is the same token as that of ${twin.owner.name} at ${twin.where}; each secret has its own`
        this.faults.push({ where: token.where, message })
      }
    }
  }
}

/** An issuer without a name of its own is known by its host. */
function nameOf({ issuer }: IssuerEntry): string {
  const shown = URL.canParse(issuer) ? new URL(issuer).hostname : issuer
  return shown.replaceAll(/[^\w.-]/g, "_").slice(0, 63) || "jwt"
}

function namesOf({ san, common_name: commonName }: CertificateEntry): readonly string[] {
  return [...(san ?? []), ...(commonName ?? []).map((name) => `CN:${name}`)]
}
