import { versioned } from "./access.ts"
import type { CloudSettings } from "./cloud-settings.ts"
import type { Environment } from "./variables.ts"

/** What tells one sign-in from another, beside the secret. */
const IDENTITY = [
  "auth_url",
  "username",
  "user_id",
  "user_domain_name",
  "user_domain_id",
  "application_credential_id",
  "application_credential_name",
]

/**
 * The settings with the secret that the environment adds to a file without one, as OpenStack's own clients take it: unless
 * other variables there are those of another cloud or user, whose secret must not be sent to this one.
 */
export function withSecretOf(env: Environment, settings: CloudSettings): CloudSettings {
  const isApplication =
    settings.has("application_credential_id") ||
    settings.has("application_credential_name") ||
    settings.has("application_credential_secret")
  const key = isApplication ? "application_credential_secret" : "password"
  const name = `OS_${key.toUpperCase()}`
  const value = env[name]
  const hasToken = !isApplication && settings.has("token")
  if (value === undefined || value === "" || settings.isReadable(key) || hasToken) return settings
  const other = IDENTITY.map((part) => `OS_${part.toUpperCase()}`).find((variable) =>
    isOther(env[variable], variable, settings),
  )
  if (other === undefined) return settings.with([{ key, value, where: "the environment", name }])
  settings.hint(
    key,
    `${name} of the environment is not used, because ${other} beside it is that of another cloud or user`,
  )
  return settings
}

function isOther(value: string | undefined, variable: string, settings: CloudSettings): boolean {
  if (value === undefined || value === "") return false
  const own = settings.values.get(variable.slice(3).toLowerCase())
  if (own === undefined) return variable !== "OS_USER_DOMAIN_NAME" && variable !== "OS_USER_DOMAIN_ID"
  return variable === "OS_AUTH_URL" ? versioned(value) !== versioned(own) : value !== own
}
