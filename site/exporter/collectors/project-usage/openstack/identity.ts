import type { CloudSettings } from "./cloud-settings.ts"

/** An id or a name, as of a domain. */
type IdOrName = { readonly id: string } | { readonly name: string }

/** An id, or a name within a domain, as the identity API accepts it. */
export type Named = { readonly id: string } | { readonly name: string; readonly domain: IdOrName }

/** https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management */
export type CloudIdentity =
  | { readonly method: "password"; readonly user: Named; readonly secret: string }
  | { readonly method: "token"; readonly secret: string }
  | {
      readonly method: "application_credential"
      readonly credential: { readonly id: string } | { readonly name: string; readonly user: Named }
      readonly secret: string
    }

export type Scope =
  { readonly project: Named } | { readonly domain: IdOrName } | { readonly system: { readonly all: true } }

/** Every name of a sign-in method that openstacksdk and gophercloud know for these three. */
const METHODS: Readonly<Record<string, CloudIdentity["method"]>> = {
  password: "password",
  v3password: "password",
  token: "token",
  v3token: "token",
  v3applicationcredential: "application_credential",
  application_credential: "application_credential",
  applicationcredential: "application_credential",
}

/** Undefined where something is missing, which is then a fault. */
export function identityOf(method: CloudIdentity["method"], settings: CloudSettings): CloudIdentity | undefined {
  if (method === "token") {
    const secret = settings.need("token")
    return secret === undefined ? undefined : { method, secret }
  }
  if (method === "password") {
    const user = namedIn(settings, "user")
    const secret = settings.need("password")
    return user === undefined || secret === undefined ? undefined : { method, user, secret }
  }
  const id = settings.get("application_credential_id")
  const name = settings.get("application_credential_name")
  if (id === undefined && name === undefined)
    settings.missing("application_credential_id", "application_credential_name")
  const secret = settings.need("application_credential_secret")
  if (id !== undefined) return secret === undefined ? undefined : { method, credential: { id }, secret }
  const user = name === undefined ? undefined : namedIn(settings, "user")
  if (name === undefined || user === undefined || secret === undefined) return undefined
  return { method, credential: { name, user }, secret }
}

/** By the type if there is one, else by what is set. */
export function methodOf(settings: CloudSettings): CloudIdentity["method"] | undefined {
  const type = settings.get("auth_type")?.trim()
  if (type === undefined) {
    if (settings.has("application_credential_id") || settings.has("application_credential_secret"))
      return "application_credential"
    return settings.has("token") && !settings.has("password") ? "token" : "password"
  }
  const method = METHODS[type.toLowerCase()]
  // openstacksdk does the same: a token that is given is meant
  if (method === "password" && settings.has("token") && !settings.has("password")) return "token"
  if (method === undefined) {
    const message = `must be v3password, v3applicationcredential or v3token${
      type.toLowerCase().startsWith("v2") ? ": version 2 of the identity API is gone" : ""
    }. For every other sign-in method, make an application credential and use that`
    settings.wrong("auth_type", message)
  }
  return method
}

/** Exactly one scope. */
export function scopeOf(settings: CloudSettings): Scope | undefined {
  const system = settings.get("system_scope")?.trim()
  if (system !== undefined) {
    if (system.toLowerCase() !== "all") settings.wrong("system_scope", "must be all")
    else if (isProjectScoped(settings))
      settings.wrong(
        "system_scope",
        `cannot be set together with ${settings.nameOf(PROJECT.find((key) => settings.has(key)) ?? "")}: keep one of them`,
      )
    return { system: { all: true } }
  }
  if (isProjectScoped(settings)) {
    const project = namedIn(settings, "project")
    return project === undefined ? undefined : { project }
  }
  const domain = domainOf(settings, ["domain"])
  if (domain !== undefined) return { domain }
  settings.missing("project_name", "project_id", "domain_name", "system_scope")
  return undefined
}

const PROJECT = ["project_id", "project_name"]

const isProjectScoped = (settings: CloudSettings): boolean => settings.has("project_id") || settings.has("project_name")

function namedIn(settings: CloudSettings, kind: "user" | "project"): Named | undefined {
  const id = settings.get(`${kind}_id`)
  if (id !== undefined) return { id }
  const name = settings.need(kind === "user" ? "username" : "project_name", `${kind}_id`)
  // as in openstacksdk: a domain that is no scope is that of user and project
  const isScope = !isProjectScoped(settings) && !settings.has("system_scope")
  const domain = domainOf(settings, [`${kind}_domain`, ...(isScope ? [] : ["domain"]), "default_domain"])
  if (domain === undefined) settings.missing(`${kind}_domain_name`, `${kind}_domain_id`)
  return name === undefined || domain === undefined ? undefined : { name, domain }
}

/** The first that is given, by id or by name. */
function domainOf(settings: CloudSettings, prefixes: readonly string[]): IdOrName | undefined {
  for (const prefix of prefixes) {
    // OS_DEFAULT_DOMAIN is an id
    const bare = prefix === "default_domain" ? settings.get(prefix) : undefined
    const name = settings.get(`${prefix}_name`)
    const id = settings.get(`${prefix}_id`) ?? (name === undefined ? bare : undefined)
    if (id !== undefined) return { id }
    if (name !== undefined) return { name }
  }
  return undefined
}
