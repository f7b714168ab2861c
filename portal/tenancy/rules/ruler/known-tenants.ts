import { z } from "zod"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { tenantsIn } from "./list-tenants.ts"
import type { RulerPaths } from "./paths.ts"
import { Unreadable } from "./read-group.ts"
import { errorOf, isNothingThere, understood } from "./responses.ts"
import type { RulerRequests } from "./send.ts"

export interface TenantSource {
  readonly paths: RulerPaths
  readonly requests: RulerRequests
}

/** Bytes of all rules of all tenants, of which little is kept, and of anything else. */
const ALL_RULES = 4 * 2 ** 30
const OTHERS = 16 * 2 ** 20
/** Of a gateway that passes such requests on to nobody, or not for us. */
const NOT_FOR_US: ReadonlySet<number> = new Set([401, 403, 404, 405])

const userStats = z.array(z.object({ userID: z.string() }))

/**
 * Tenants with rules, idle ones too, where the ruler lists them; else those of which the distributor has series, where that
 * lists them. `now`: milliseconds since 1970.
 */
export async function knownTenants(
  ruler: TenantSource,
  distributor: TenantSource,
  now: () => number,
  signal: AbortSignal,
): Promise<ReadonlySet<TenantId> | undefined> {
  const request = { method: "GET", path: ruler.paths.admin("/ruler/rule_groups"), tenant: undefined } as const
  const listed = await ruler.requests.stream(
    { ...request, limit: ALL_RULES },
    async (streamed) => {
      const { status, headers, body } = streamed
      if (status === 200) {
        // of a ruler without any rules
        const mayBeEmpty = headers["content-type"]?.startsWith("application/yaml") === true
        return understood(request, () => tenantsIn(body, mayBeEmpty))
      }
      const response = { ...request, status, headers, body: Buffer.from(await streamed.text(OTHERS)) }
      if (isNothingThere(response)) return new Set<TenantId>()
      if (NOT_FOR_US.has(status)) return undefined
      throw errorOf(response, now())
    },
    signal,
  )
  return listed ?? activeTenants(distributor, now, signal)
}

async function activeTenants({ paths, requests }: TenantSource, now: () => number, signal: AbortSignal) {
  const path = paths.admin("/distributor/all_user_stats")
  const json = { accept: "application/json" }
  const response = await requests.send({ method: "GET", path, tenant: undefined, headers: json, limit: OTHERS }, signal)
  if (NOT_FOR_US.has(response.status)) return undefined
  if (response.status !== 200) throw errorOf(response, now())
  return understood(response, () => {
    const { data } = userStats.safeParse(parseJson(response.body.toString()))
    if (data === undefined) throw new Unreadable("is no list of tenants")
    return new Set(data.map(({ userID }) => parseTenant(userID)).filter((tenant) => typeof tenant === "string"))
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Unreadable("is no JSON")
  }
}
