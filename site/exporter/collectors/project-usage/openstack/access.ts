import { homedir } from "node:os"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import { httpUrl, Wrong } from "#core/config/settings.ts"
import type { TlsFiles } from "#core/http/tls-files.ts"
import type { Service } from "./api.ts"
import type { Fields } from "./fields.ts"
import { type Identity, identityOf, methodOf, type Scope, scopeOf } from "./identity.ts"

export type Interface = "public" | "internal" | "admin"

/** All that is needed to sign in to one region of a cloud and to find its services. */
export interface Access {
  /** Ends in /v3, without a slash. */
  readonly authUrl: string
  readonly identity: Identity
  /** Undefined for application credentials, which have their own. */
  readonly scope: Scope | undefined
  readonly region: string | undefined
  readonly interface: Interface
  readonly overrides: Readonly<Partial<Record<Service, string>>>
  readonly tls: TlsFiles
  /** Certificates are checked all the same; whoever does not want that is told. */
  readonly insecure: boolean
}

/** Collects what is wrong; `missing` names all ways of a thing that is not there. */
export interface Faults {
  missing(...keys: readonly string[]): void
  wrong(key: string, message: string): void
}

/** Throws ConfigurationError with everything that is missing or wrong. No value is shown: it may be a secret. */
export function accessOf(fields: Fields, region: string | undefined): Access {
  const faults: Fault[] = []
  const report: Faults = {
    missing: (...keys) => {
      const [first = "", ...others] = keys.map(fields.shown)
      const or = others.length === 0 ? "" : ` (or ${others.join(" or ")})`
      faults.push({ where: fields.where, message: `${first}${or} is missing` })
    },
    wrong: (key, message) => faults.push({ where: fields.where, message: `${fields.shown(key)} ${message}` }),
  }
  const { values } = fields
  const version = values.get("identity_api_version") ?? "3"
  if (!/^v?3(?:\.|$)/.test(version)) report.wrong("identity_api_version", "must be 3: version 2 is gone from OpenStack")
  const authUrl = urlIn(values, "auth_url", report)
  if (!values.has("auth_url")) report.missing("auth_url")
  const method = methodOf(values, report)
  const identity = method === undefined ? undefined : identityOf(method, values, report)
  const scope = method === "application_credential" ? undefined : scopeOf(values, report)
  const chosen = interfaceIn(values, report)
  const compute = urlIn(values, "compute_endpoint_override", report)
  const identityUrl = urlIn(values, "identity_endpoint_override", report)
  if (values.has("key") && !values.has("cert")) report.missing("cert")
  if (faults.length > 0 || authUrl === undefined || identity === undefined) throw new ConfigurationError(faults)
  return {
    authUrl: versioned(authUrl),
    identity,
    scope,
    region,
    interface: chosen,
    overrides: {
      ...(compute === undefined ? {} : { compute }),
      ...(identityUrl === undefined ? {} : { identity: versioned(identityUrl) }),
    },
    tls: { ca: fileIn(values, "cacert"), cert: fileIn(values, "cert"), key: fileIn(values, "key") },
    insecure: isTrue(values.get("insecure")) || /^(?:false|no|0)$/i.test(values.get("verify") ?? ""),
  }
}

/** In clouds.yaml no shell has replaced the home folder. */
const fileIn = (values: Fields["values"], key: string): string | undefined =>
  values.get(key)?.replace(/^~(?=\/)/, () => homedir())

const isTrue = (text: string | undefined): boolean => /^(?:true|yes|1)$/i.test(text ?? "")

function urlIn(values: Fields["values"], key: string, report: Faults): string | undefined {
  const text = values.get(key)
  if (text === undefined) return undefined
  const url = httpUrl(text.trim())
  if (!(url instanceof Wrong)) return `${url.origin}${url.pathname}`.replace(/\/+$/, "")
  report.wrong(key, url.reason)
  return undefined
}

/** The identity service's address with its version, whichever was written. */
export function versioned(url: string): string {
  return `${url.replace(/\/+$/, "").replace(/\/v(?:2\.0|3)$/, "")}/v3`
}

function interfaceIn(values: Fields["values"], report: Faults): Interface {
  const text = values.get("interface")?.replace(/url$/i, "") ?? "public"
  if (text === "public" || text === "internal" || text === "admin") return text
  report.wrong("interface", "must be public, internal or admin")
  return "public"
}
