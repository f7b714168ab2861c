/** What is known of one cloud: keys as in clouds.yaml, those below `auth` beside the others. */
export interface Fields {
  /** Where it stands, for messages: a file, or "the environment". */
  readonly where: string
  /** How a key is written there: `OS_AUTH_URL`, `clouds.site.auth.auth_url`. */
  readonly shown: (key: string) => string
  readonly values: ReadonlyMap<string, string>
}

/** The settings that OS_* variables hold; empty ones count as not set. */
export function fieldsOfVariables(env: Readonly<Record<string, string | undefined>>, where: string): Fields {
  const entries = Object.entries(env).flatMap(([name, value]) =>
    name.startsWith("OS_") && value !== undefined && value !== "" ? [[name.slice(3), value] as const] : [],
  )
  return { where, shown: (key) => `OS_${key.toUpperCase()}`, values: byKey(entries) }
}

/** Old names and spellings of keys, as they are still about. */
const SYNONYMS: Readonly<Record<string, string>> = {
  tenant_id: "project_id",
  tenant_name: "project_name",
  user_name: "username",
  auth_token: "token",
  auth_plugin: "auth_type",
  endpoint_type: "interface",
  ca_cert: "cacert",
}

/** Later entries win over earlier ones, and today's name of a key over an old one. */
export function byKey(entries: readonly (readonly [string, string])[]): ReadonlyMap<string, string> {
  const values = new Map(entries.map(([name, value]) => [name.toLowerCase().replaceAll("-", "_"), value]))
  for (const [old, key] of Object.entries(SYNONYMS)) {
    const value = values.get(old)
    if (value !== undefined && !values.has(key)) values.set(key, value)
  }
  return values
}
