import { homedir } from "node:os"
import { httpUrl, Wrong } from "#core/config/settings.ts"
import type { TlsFiles } from "#core/http/tls-files.ts"
import type { Service } from "./api.ts"
import { ServiceError } from "./errors.ts"
import type { CloudSettings } from "./cloud-settings.ts"
import { type CloudIdentity, identityOf, methodOf, type Scope, scopeOf } from "./identity.ts"

/** All that is needed to sign in to one region of a cloud and to find its services. */
export interface Access {
  /** Ends in /v3, without a slash. */
  readonly authUrl: string
  readonly identity: CloudIdentity
  /** Undefined for application credentials, which have their own. */
  readonly scope: Scope | undefined
  readonly region: string | undefined
  readonly interface: "public" | "internal" | "admin"
  readonly overrides: Readonly<Record<Service, string | undefined>>
  readonly tls: TlsFiles
  /** Whether certificates were not to be verified. They are all the same, with a warning. */
  readonly insecure: boolean
  /** Where the credentials stand: "usage-openrc", or "usage-openrc and the environment". */
  readonly source: string
  /** Credentials that begin or end with a blank, by the names of their settings: seldom meant. */
  readonly blanks: readonly string[]
}

/** Throws ConfigurationError with everything that is missing or wrong. No value is shown: it may be a secret. */
export function accessOf(settings: CloudSettings, region: string | undefined): Access {
  const version = settings.get("identity_api_version")?.trim() ?? "3"
  if (!/^v?3(?:\.|$)/.test(version))
    settings.wrong("identity_api_version", "must be 3: version 2 is gone from OpenStack")
  settings.need("auth_url")
  const authUrl = urlIn(settings, "auth_url")
  const method = methodOf(settings)
  const identity = method === undefined ? undefined : identityOf(method, settings)
  const scope = method === "application_credential" ? undefined : scopeOf(settings)
  const chosen = interfaceIn(settings)
  const compute = urlIn(settings, "compute_endpoint_override")
  const identityUrl = urlIn(settings, "identity_endpoint_override")
  if (settings.has("key")) settings.need("cert")
  if (settings.faults.any || authUrl === undefined || identity === undefined) throw settings.faults.toError()
  return {
    authUrl: versioned(authUrl),
    identity,
    scope,
    region,
    interface: chosen,
    overrides: { compute, identity: identityUrl && versioned(identityUrl) },
    tls: { ca: fileIn(settings, "cacert"), cert: fileIn(settings, "cert"), key: fileIn(settings, "key") },
    insecure:
      /^(?:true|yes|1)$/i.test(settings.get("insecure")?.trim() ?? "") ||
      /^(?:false|no|0)$/i.test(settings.get("verify")?.trim() ?? ""),
    source: settings.sourceOf(...CREDENTIALS),
    blanks: CREDENTIALS.filter((key) => /^\s|\s$/.test(settings.values.get(key) ?? "")),
  }
}

const CREDENTIALS = ["auth_url", "username", "user_id", "user_domain_name", "user_domain_id", "password"].concat(
  ["project_name", "project_id", "project_domain_name", "project_domain_id", "token"],
  ["application_credential_id", "application_credential_name", "application_credential_secret"],
)

/**
 * The same user, signed in to a domain. Only its identity service is of use: Nova has nothing for a domain. Throws
 * ServiceError for application credentials, which have a scope of their own.
 */
export function inDomain(access: Access, id: string): Access {
  if (access.identity.method === "application_credential")
    throw new ServiceError("forbidden", "an application credential cannot sign in to a domain")
  const compute = access.overrides.compute ?? access.authUrl
  return { ...access, scope: { domain: { id } }, overrides: { ...access.overrides, compute } }
}

/** In clouds.yaml no shell has replaced the home folder. */
const fileIn = (settings: CloudSettings, key: string): string | undefined =>
  settings.get(key)?.replace(/^~(?=\/)/, () => homedir())

function urlIn(settings: CloudSettings, key: string): string | undefined {
  const text = settings.get(key)
  if (text === undefined) return undefined
  const url = httpUrl(text.trim())
  if (!(url instanceof Wrong)) return `${url.origin}${url.pathname}`.replace(/\/+$/, "")
  settings.wrong(key, url.reason)
  return undefined
}

/** The identity service's address with its version, whichever was written. */
export function versioned(url: string): string {
  return `${url.replace(/\/+$/, "").replace(/\/v(?:2\.0|3)$/, "")}/v3`
}

function interfaceIn(settings: CloudSettings): Access["interface"] {
  const text = settings.get("interface")?.trim().replace(/url$/i, "") ?? "public"
  if (text === "public" || text === "internal" || text === "admin") return text
  settings.wrong("interface", "must be public, internal or admin")
  return "public"
}
