import { createHash } from "node:crypto"
import { LRUCache } from "lru-cache"
import type { Registry } from "prom-client"
import type { Closable } from "#core/closable.ts"
import { openClientCredentials } from "#core/http/client-credentials.ts"
import type { Logger } from "#core/log/logger.ts"
import type { GroupAddress } from "../model/address.ts"
import { RulerError } from "./errors.ts"
import { createLimits } from "./limits.ts"
import { knownTenants } from "./known-tenants.ts"
import { rulerPaths, type RulerType } from "./paths.ts"
import { groupOf, parseTexts, Unreadable, withLineFeeds } from "./read-group.ts"
import type { ReadListing } from "./read-listing.ts"
import { errorOf, isNothingThere, type RulerResponse, understood } from "./responses.ts"
import type { Ruler, RulerLimits, TenantGroups } from "./ruler.ts"
import { createRequests, type RulerRequest } from "./send.ts"
import { writeGroup } from "./write-group.ts"

export interface RulerConfig {
  readonly name: string
  readonly url: URL
  /** Lists active tenants where the ruler lists none. */
  readonly distributor: URL
  readonly type: RulerType
  /** Mimir's `-http.prometheus-http-prefix`. */
  readonly prefix: string
  readonly credentials: RulerCredentials
  /** Seconds until a whole response must be there. */
  readonly timeout: number
  /** Where the ruler does not report them. */
  readonly limits: RulerLimits
}

/** Files; none: neither credentials nor certificates of its own. */
export interface RulerCredentials {
  readonly token?: string | undefined
  readonly basicAuth?: { readonly username: string; readonly passwordFile: string } | undefined
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly serverName?: string | undefined
}

export interface OpenRuler extends Ruler, Closable {
  /** Reads the files of credentials again. */
  reload(): Promise<void>
}

interface OpenContext {
  readonly log: Logger
  readonly registry: Registry
  /** Shared by all rulers, so that they share equal groups. */
  readonly readListing: ReadListing
  /** Milliseconds since 1970. */
  readonly now?: () => number
  /** Milliseconds of a clock that only goes forward. */
  readonly milliseconds?: () => number
}

/** Bytes of the groups of a tenant, and of another response. */
const LISTING = 64 * 2 ** 20
const SMALL = 2 ** 20
/** Tenants whose last listing is remembered. */
const TENANTS = 10_000

/** Throws ConfigurationError where a file of credentials cannot be used. */
export async function openRuler(config: RulerConfig, context: OpenContext): Promise<OpenRuler> {
  const { name, url, type, prefix, timeout, limits: configured } = config
  const { log, registry, readListing, now = Date.now, milliseconds = () => performance.now() } = context
  const { token, ca, cert, key, ...rest } = config.credentials
  const credentials = await openClientCredentials({
    ...{ token, ca, cert, key, ...rest, config: `credentials of ruler ${name}`, log, registry },
  })
  const at = (where: URL) => ({
    paths: rulerPaths(where, type, prefix),
    requests: createRequests(where, timeout, () => credentials.current()),
  })
  const { paths, requests } = at(url)
  const distributor = at(config.distributor)
  const listings = new LRUCache<string, { readonly hash: string; readonly groups: TenantGroups }>({ max: TENANTS })
  const limits = createLimits({ type, paths, requests, configured, now: milliseconds })

  const get = (request: Pick<RulerRequest, "path" | "tenant" | "limit">, signal: AbortSignal) =>
    requests.send({ ...request, method: "GET" }, signal)
  const write = async (request: RulerRequest, signal: AbortSignal): Promise<void> => {
    const response = await requests.send(request, signal)
    const isDone = response.status === 202 || (request.method === "DELETE" && isNothingThere(response))
    if (!isDone) throw errorOf(response, now())
  }

  return {
    name,
    async list(tenant, signal) {
      const response = await get({ path: paths.rules(), tenant, limit: LISTING }, signal)
      if (isNothingThere(response)) return NONE
      const { body } = requireOk(response, now())
      const hash = createHash("sha256").update(body).digest("base64")
      const before = listings.get(tenant)
      if (before?.hash === hash) return before.groups
      const groups = await understood(response, () => readListing(body))
      listings.set(tenant, { hash, groups })
      return groups
    },
    async get(tenant, address, signal) {
      const path = paths.rules(...namesOf(address))
      const response = await get({ path, tenant, limit: SMALL }, signal)
      if (isNothingThere(response)) return undefined
      const { body } = requireOk(response, now())
      return understood(response, () => {
        const text = withLineFeeds(body.toString())
        // the end may be missing
        if (!text.endsWith("\n")) throw new Unreadable("breaks off")
        const group = groupOf(parseTexts(text))
        if (group.name !== address.name) throw new Unreadable("is of another group")
        return group
      })
    },
    async set(tenant, namespace, group, signal) {
      requireLasting({ namespace, name: group.name })
      const request = { path: paths.rules(namespace), tenant, body: writeGroup(group), limit: SMALL }
      await write({ ...request, method: "POST" }, signal)
    },
    async delete(tenant, address, signal) {
      await write({ method: "DELETE", path: paths.rules(...namesOf(address)), tenant, limit: SMALL }, signal)
    },
    limits,
    tenants: (signal) => knownTenants({ paths, requests }, distributor, now, signal),
    reload: () => credentials.reload(),
    close: () => credentials.close(),
  }
}

const NONE: TenantGroups = new Map()

function requireOk(response: RulerResponse, now: number): RulerResponse {
  if (response.status !== 200) throw errorOf(response, now)
  return response
}

/** Throws RulerError where they cannot stand in a path. */
function namesOf({ namespace, name }: GroupAddress): readonly [string, string] {
  for (const part of [namespace, name])
    if (part === "" || !part.isWellFormed())
      throw new RulerError("refused", "the names of a namespace and of a group must be Unicode text that is not empty")
  return [namespace, name]
}

/** The YAML in which rulers list groups changes such names, so that they would be taken for other ones. */
function requireLasting(address: GroupAddress): void {
  for (const part of namesOf(address))
    if (/^\s|[\u2028\u2029]/.test(part))
      throw new RulerError(
        "refused",
        "the names of a namespace and of a group must not begin with white space, or hold U+2028 or U+2029",
      )
}
