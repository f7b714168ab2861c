import { Faults } from "#core/config/faults.ts"

/** The settings of one cloud, by keys as in clouds.yaml, those below `auth` beside the others; and what is wrong in them. */
export class CloudSettings {
  readonly #where: string
  readonly values: ReadonlyMap<string, string>
  readonly faults = new Faults()
  readonly #nameOf: (key: string) => string

  /**
   * `where` they stand is a file or "the environment", and `nameOf` how a key is written there: `OS_AUTH_URL`,
   * `clouds.site.auth.auth_url`. Later entries win over earlier ones, and today's name of a key over an old one.
   */
  constructor(where: string, nameOf: (key: string) => string, entries: readonly (readonly [string, string])[]) {
    this.#where = where
    this.#nameOf = nameOf
    const values = new Map(entries.map(([name, value]) => [name.toLowerCase().replaceAll("-", "_"), value]))
    for (const [old, key] of Object.entries(SYNONYMS)) {
      const value = values.get(old)
      if (value !== undefined && !values.has(key)) values.set(key, value)
    }
    this.values = values
  }

  get(key: string): string | undefined {
    return this.values.get(key)
  }

  has(key: string): boolean {
    return this.values.has(key)
  }

  /** The value of a key without which nothing works, or a fault; the others are those that may be set instead. */
  need(key: string, ...others: readonly string[]): string | undefined {
    if (!this.has(key)) this.missing(key, ...others)
    return this.get(key)
  }

  /** Names all keys of which one has to be set. */
  missing(...keys: readonly string[]): void {
    const [first = "", ...others] = keys.map(this.#nameOf)
    this.faults.add(this.#where, `${first}${others.length === 0 ? "" : ` (or ${others.join(" or ")})`} is missing`)
  }

  wrong(key: string, message: string): void {
    this.faults.add(this.#where, `${this.#nameOf(key)} ${message}`)
  }
}

/** The settings that OS_* variables hold; empty ones count as not set. */
export function settingsOfVariables(env: Readonly<Record<string, string | undefined>>, where: string): CloudSettings {
  const entries = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith("OS_") && value !== undefined && value !== "" ? [[name.slice(3), value] as const] : [],
  )
  return new CloudSettings(where, (key) => `OS_${key.toUpperCase()}`, entries)
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
