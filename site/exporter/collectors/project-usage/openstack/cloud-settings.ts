import { Faults } from "#core/config/faults.ts"

/** A setting as it stands somewhere. */
export interface Entry {
  /** As in clouds.yaml, or in an old spelling. */
  readonly key: string
  /** Or why it cannot be read, which is a fault only where it is needed. */
  readonly value: string | { readonly unreadable: string }
  /** A place such as `usage-openrc:3`, `clouds.yaml:4:5 clouds.site.auth.password` or `the environment`. */
  readonly where: string
  /** How it is called there, where the place does not say it: `OS_AUTH_URL`. */
  readonly name: string
}

/** The settings of one cloud, by keys as in clouds.yaml, those below `auth` beside the others; and what is wrong in them. */
export class CloudSettings {
  /** A file, or "the environment". */
  readonly where: string
  readonly faults = new Faults()
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #nameOf: (key: string) => string
  readonly #reported = new Set<string>()
  readonly #hints = new Map<string, string>()

  /**
   * `where` they stand is a file or "the environment", and `nameOf` how a key is written there: `OS_AUTH_URL`,
   * `clouds.site.auth.auth_url`. Later entries win over earlier ones, and today's name of a key over an old one.
   */
  constructor(where: string, nameOf: (key: string) => string, entries: readonly Entry[]) {
    this.where = where
    this.#nameOf = nameOf
    const byKey = new Map(entries.map((entry) => [entry.key.toLowerCase().replaceAll("-", "_"), entry]))
    for (const [old, key] of Object.entries(SYNONYMS)) {
      const entry = byKey.get(old)
      if (entry !== undefined && !byKey.has(key)) byKey.set(key, entry)
    }
    this.#entries = byKey
  }

  /** Those that can be read. */
  get values(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#entries].flatMap(([key, { value }]) => (typeof value === "string" ? [[key, value] as const] : [])),
    )
  }

  /** The same with more entries, which win. */
  with(entries: readonly Entry[]): CloudSettings {
    const own = [...this.#entries].map(([key, entry]) => ({ ...entry, key }))
    return new CloudSettings(this.where, this.#nameOf, [...own, ...entries])
  }

  /** Undefined where it is not set, or cannot be read, which is then a fault. */
  get(key: string): string | undefined {
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (typeof entry.value === "string") return entry.value
    const hint = this.#hints.get(key)
    const reason = `${entry.value.unreadable}${hint === undefined ? "" : `. ${hint}`}`
    if (!this.#reported.has(key)) this.faults.add(entry.where, reason)
    this.#reported.add(key)
    return undefined
  }

  has(key: string): boolean {
    return this.#entries.has(key)
  }

  /** Whether it is set and can be read. */
  isReadable(key: string): boolean {
    return typeof this.#entries.get(key)?.value === "string"
  }

  /** The value of a key without which nothing works, or a fault; the others are those that may be set instead. */
  need(key: string, ...others: readonly string[]): string | undefined {
    if (!this.has(key)) this.missing(key, ...others)
    return this.get(key)
  }

  /** Adds to what is reported if a key is missing. */
  hint(key: string, hint: string): void {
    this.#hints.set(key, hint)
  }

  /** Names all keys of which one has to be set. */
  missing(...keys: readonly string[]): void {
    const [first = "", ...others] = keys.map(this.#nameOf)
    const hint = keys.map((key) => this.#hints.get(key)).find((text) => text !== undefined)
    const names = `${first}${others.length === 0 ? "" : ` (or ${others.join(" or ")})`}`
    this.faults.add(this.where, `${names} is missing${hint === undefined ? "" : `. ${hint}`}`)
  }

  wrong(key: string, message: string): void {
    const { where = this.where, name = this.#nameOf(key) } = this.#entries.get(key) ?? {}
    this.faults.add(where, `${name} ${message}`.trimStart())
  }

  /** How a key is called, and where it stands if that is elsewhere. */
  nameOf(key: string): string {
    const { where = this.where, name = "" } = this.#entries.get(key) ?? {}
    if (name === "") return this.#nameOf(key)
    return where.startsWith(this.where) ? name : `${name} of ${where}`
  }

  /** What the values of these keys come from: "usage-openrc", or "the environment". */
  sourceOf(...keys: readonly string[]): string {
    const places = keys.flatMap((key) => this.#entries.get(key)?.where ?? [])
    return [...new Set(places.map((place) => (place.startsWith(this.where) ? this.where : place)))].join(" and ")
  }
}

/** Old names and spellings of keys that are still in use. */
const SYNONYMS: Readonly<Record<string, string>> = {
  tenant_id: "project_id",
  tenant_name: "project_name",
  user_name: "username",
  auth_token: "token",
  auth_plugin: "auth_type",
  endpoint_type: "interface",
  ca_cert: "cacert",
}
