import type { Faults } from "./access.ts"
import type { Fields } from "./fields.ts"

/** An id, or a name within a domain, as the identity API takes it. */
export type Named =
  | { readonly id: string }
  | { readonly name: string; readonly domain: { readonly id: string } | { readonly name: string } }

/** https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management */
export type Identity =
  | { readonly method: "password"; readonly user: Named; readonly secret: string }
  | { readonly method: "token"; readonly secret: string }
  | {
      readonly method: "application_credential"
      readonly credential: { readonly id: string } | { readonly name: string; readonly user: Named }
      readonly secret: string
    }

export type Scope =
  | { readonly project: Named }
  | { readonly domain: { readonly id: string } | { readonly name: string } }
  | { readonly system: { readonly all: true } }

type Values = Fields["values"]

/** Every name of a way to sign in that openstacksdk and gophercloud know for these three. */
const METHODS: Readonly<Record<string, Identity["method"]>> = {
  password: "password",
  v3password: "password",
  token: "token",
  v3token: "token",
  v3applicationcredential: "application_credential",
  application_credential: "application_credential",
  applicationcredential: "application_credential",
}

/** Undefined after what is missing was reported. */
export function identityOf(method: Identity["method"], values: Values, report: Faults): Identity | undefined {
  if (method === "token") {
    const secret = values.get("token")
    if (secret !== undefined) return { method, secret }
    report.missing("token")
    return undefined
  }
  if (method === "password") {
    const user = userOf(values, report)
    const secret = values.get("password")
    if (secret === undefined) report.missing("password")
    return user === undefined || secret === undefined ? undefined : { method, user, secret }
  }
  const id = values.get("application_credential_id")
  const name = values.get("application_credential_name")
  const secret = values.get("application_credential_secret")
  if (id === undefined && name === undefined) report.missing("application_credential_id", "application_credential_name")
  if (secret === undefined) report.missing("application_credential_secret")
  if (id !== undefined) return secret === undefined ? undefined : { method, credential: { id }, secret }
  const user = name === undefined ? undefined : userOf(values, report)
  if (name === undefined || user === undefined || secret === undefined) return undefined
  return { method, credential: { name, user }, secret }
}

/** As told by the type, else by what is there. */
export function methodOf(values: Values, report: Faults): Identity["method"] | undefined {
  const type = values.get("auth_type")
  if (type === undefined) {
    if (values.has("application_credential_id") || values.has("application_credential_secret"))
      return "application_credential"
    return values.has("token") && !values.has("password") ? "token" : "password"
  }
  const method = METHODS[type.toLowerCase()]
  // openstacksdk does the same: a token that is given is meant
  if (method === "password" && values.has("token") && !values.has("password")) return "token"
  if (method === undefined) {
    const message = `must be v3password, v3applicationcredential or v3token${
      type.toLowerCase().startsWith("v2") ? ": version 2 of the identity API is gone" : ""
    }. For every other way to sign in, make an application credential and use that`
    report.wrong("auth_type", message)
  }
  return method
}

function userOf(values: Values, report: Faults): Named | undefined {
  return named(values, "user", { id: "user_id", name: "username" }, report)
}

/** Exactly one scope. */
export function scopeOf(values: Values, report: Faults): Scope | undefined {
  const system = values.get("system_scope")
  if (system !== undefined) {
    if (system.toLowerCase() !== "all") report.wrong("system_scope", "must be all")
    else if (isProjectScoped(values))
      report.wrong("system_scope", "can't be set together with a project: keep one of them")
    return { system: { all: true } }
  }
  if (isProjectScoped(values)) {
    const project = named(values, "project", { id: "project_id", name: "project_name" }, report)
    return project === undefined ? undefined : { project }
  }
  const domain = domainOf(values, ["domain"])
  if (domain !== undefined) return { domain }
  report.missing("project_name", "project_id", "domain_name", "system_scope")
  return undefined
}

const isProjectScoped = (values: Values): boolean => values.has("project_id") || values.has("project_name")

function named(
  values: Values,
  kind: "user" | "project",
  keys: { readonly id: string; readonly name: string },
  report: Faults,
): Named | undefined {
  const id = values.get(keys.id)
  if (id !== undefined) return { id }
  const name = values.get(keys.name)
  // as in openstacksdk: a domain that is no scope is that of user and project
  const isScope = !isProjectScoped(values) && !values.has("system_scope")
  const domain = domainOf(values, [`${kind}_domain`, ...(isScope ? [] : ["domain"]), "default_domain"])
  if (name === undefined) report.missing(keys.name, keys.id)
  if (domain === undefined) report.missing(`${kind}_domain_name`, `${kind}_domain_id`)
  return name === undefined || domain === undefined ? undefined : { name, domain }
}

/** The first that is given, by id or by name. */
function domainOf(
  values: Values,
  prefixes: readonly string[],
): { readonly id: string } | { readonly name: string } | undefined {
  for (const prefix of prefixes) {
    const id = values.get(prefix === "default_domain" ? "default_domain_id" : `${prefix}_id`)
    if (id !== undefined) return { id }
    const name = values.get(`${prefix}_name`)
    if (name !== undefined) return { name }
    // OS_DEFAULT_DOMAIN is an id
    const bare = prefix === "default_domain" ? values.get(prefix) : undefined
    if (bare !== undefined) return { id: bare }
  }
  return undefined
}
