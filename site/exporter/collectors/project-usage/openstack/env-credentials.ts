import { versioned } from "./access.ts"
import type { CloudSettings } from "./cloud-settings.ts"
import type { Environment } from "./variables.ts"

/** What distinguishes one sign-in from another, beside the secret. */
const IDENTITY = [
  "auth_url",
  "username",
  "user_id",
  "user_domain_name",
  "user_domain_id",
  "application_credential_id",
  "application_credential_name",
]

/** Without any of these a file says where to sign in, but not who does. */
const WHO = ["username", "user_id", "application_credential_id", "application_credential_name", "token"]
const SECRETS = ["password", "application_credential_secret", "token"]

/** The settings with what the environment adds to a file: the secret, or who signs in as a whole where the file has neither. */
export function withCredentialsOf(env: Environment, settings: CloudSettings): CloudSettings {
  if (WHO.some((key) => settings.has(key))) return withSecretOf(env, settings)
  const kind = KINDS.find(([secret]) => settings.isReadable(secret))
  const given = [...IDENTITY, ...SECRETS].filter(
    (key) => key !== "auth_url" && (env[variableOf(key)] ?? "") !== "" && (kind === undefined || kind[1].test(key)),
  )
  if (!given.some((key) => WHO.includes(key))) return withSecretOf(env, settings)
  if (isOther(env.OS_AUTH_URL, "OS_AUTH_URL", settings)) {
    settings.hint("username", notUsed(given.map(variableOf), "OS_AUTH_URL"))
    return settings
  }
  const entries = given.map((key) => ({
    key,
    value: env[variableOf(key)] ?? "",
    where: ENVIRONMENT,
    name: variableOf(key),
  }))
  return settings.with(entries.filter(({ key }) => !settings.isReadable(key)))
}

/** A secret of the file, and what of the environment may go with it. */
const KINDS = [
  ["password", /^user/],
  ["application_credential_secret", /^(?:user|application_credential_)/],
] as const

const ENVIRONMENT = "the environment"
const variableOf = (key: string): string => `OS_${key.toUpperCase()}`
const notUsed = (names: readonly string[], other: string): string =>
  `${names.join(", ")} of the environment ${names.length === 1 ? "is" : "are"} not used, because ${other} beside it is that of another cloud or user`

/**
 * The settings with the secret that the environment adds to a file without one, as OpenStack's own clients take it: unless
 * other variables there are those of another cloud or user, whose secret must not be sent to this one.
 */
function withSecretOf(env: Environment, settings: CloudSettings): CloudSettings {
  const isApplication =
    settings.has("application_credential_id") ||
    settings.has("application_credential_name") ||
    settings.has("application_credential_secret")
  const key = isApplication ? "application_credential_secret" : "password"
  const name = variableOf(key)
  const value = env[name]
  const hasToken = !isApplication && settings.has("token")
  if (value === undefined || value === "" || settings.isReadable(key) || hasToken) return settings
  const other = IDENTITY.map(variableOf).find((variable) => isOther(env[variable], variable, settings))
  if (other === undefined) return settings.with([{ key, value, where: ENVIRONMENT, name }])
  settings.hint(key, notUsed([name], other))
  return settings
}

function isOther(value: string | undefined, variable: string, settings: CloudSettings): boolean {
  if (value === undefined || value === "") return false
  const own = settings.values.get(variable.slice(3).toLowerCase())
  if (own === undefined) return variable !== "OS_USER_DOMAIN_NAME" && variable !== "OS_USER_DOMAIN_ID"
  return variable === "OS_AUTH_URL" ? versioned(value) !== versioned(own) : value !== own
}
