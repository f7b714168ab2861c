import type { Domain, DomainFilter } from "../cloud.ts"
import type { Api } from "./api.ts"
import { ServiceError } from "./errors.ts"
import { type Item, isItem, textIn, unexpectedResponse } from "./response.ts"

/** As the original calls a domain whose name it does not know. */
export const UNKNOWN = "UNKNOWN"

export const isForbidden = (error: unknown): boolean => error instanceof ServiceError && error.reason === "forbidden"

/** Handles a rejection: the value where the service refuses the user. */
export const forbiddenAs =
  <T>(value: T) =>
  (error: unknown): T => {
    if (isForbidden(error)) return value
    throw error
  }

export function domainIn(fields: Item): Domain {
  const refuse = unexpectedResponse("identity", "/domains")
  return { id: textIn(fields, "id", refuse), name: textIn(fields, "name", refuse) }
}

/**
 * The domain with an id, for users who may not list domains: a user may see a domain it signs in to, or only what its token
 * says of it. Undefined if there is none.
 */
export async function readDomain(api: Api, id: string, signal: AbortSignal): Promise<Domain | undefined> {
  const path = `/domains/${encodeURIComponent(id)}`
  try {
    const response = await api.get("identity", path, { signal })
    const fields = isItem(response) ? response.domain : undefined
    if (isItem(fields)) return domainIn(fields)
    throw unexpectedResponse("identity", path)("it has no domain")
  } catch (error) {
    if (error instanceof ServiceError && error.reason === "not_found") return undefined
    if (!isForbidden(error)) throw error
    const own = await api.ownDomains(signal)
    return own.find((domain) => domain.id === id) ?? { id, name: UNKNOWN }
  }
}

/** Those of the user's own domains that the names of a filter mean; undefined where one of them is another. */
export async function ownDomainsOf(
  api: Api,
  { names }: DomainFilter,
  signal: AbortSignal,
): Promise<readonly Domain[] | undefined> {
  const own = await api.ownDomains(signal)
  const found = names.map((name) => own.find((domain) => domain.name === name || domain.id === name))
  const known = found.filter((domain) => domain !== undefined)
  return names.length > 0 && known.length === names.length ? known : undefined
}

/** Why a user who may list projects sees none of a domain. */
export async function unseen(api: Api, id: string, signal: AbortSignal): Promise<ServiceError> {
  const own = (await api.ownDomains(signal)).map((domain) => `${domain.name} (${domain.id})`)
  const message = `identity shows this user neither the domain ${id} nor a project in it. Check --domain-id, and that the user has a role on that domain; it signs in to ${own.join(", ") || "none"}`
  return new ServiceError("forbidden", message)
}
