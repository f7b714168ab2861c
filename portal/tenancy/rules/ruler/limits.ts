import { LRUCache } from "lru-cache"
import type { TenantId } from "../../tenants/tenant.ts"
import type { RulerPaths, RulerType } from "./paths.ts"
import { parseTexts } from "./read-group.ts"
import type { RulerLimits } from "./ruler.ts"
import type { RulerRequests } from "./send.ts"

interface LimitsOptions {
  readonly type: RulerType
  readonly paths: RulerPaths
  readonly requests: RulerRequests
  /** Where the ruler does not report them; 0: none. */
  readonly configured: RulerLimits
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number
}

/** Milliseconds: limits are changed by people. */
const FRESH = 60_000
/** Bytes of a page that holds limits among much else; it is parsed at once. */
const LARGEST = 2 ** 20
const KEPT = 10_000
const KEYS = { groups: "ruler_max_rule_groups_per_tenant", rulesPerGroup: "ruler_max_rules_per_rule_group" } as const

/**
 * Limits of tenants: Mimir reports each tenant's; Cortex' pages for administrators have what differs from its defaults, for
 * all tenants and for each. They are read again after a minute, once for all that wait. What cannot be read is as configured.
 */
export function createLimits({ type, paths, requests, configured, now }: LimitsOptions) {
  const pages = new LRUCache<string, { readonly until: number; readonly page: Promise<unknown> }>({ max: KEPT })

  /** Undefined where there is none that can be read. */
  async function read(path: string, search: string, tenant: TenantId | undefined): Promise<unknown> {
    try {
      // not the caller's signal: others may wait for the same
      const { signal } = new AbortController()
      const { status, body } = await requests.send({ method: "GET", path, search, tenant, limit: LARGEST }, signal)
      return status === 200 ? parseTexts(body.toString()) : undefined
    } catch {
      return undefined
    }
  }
  function page(path: string, search = "", tenant?: TenantId): Promise<unknown> {
    const key = JSON.stringify([path, tenant])
    const before = pages.get(key)
    if (before !== undefined && before.until > now()) return before.page
    const reading = read(paths.admin(path), search, tenant)
    pages.set(key, { until: now() + FRESH, page: reading })
    return reading
  }

  return async (tenant: TenantId): Promise<RulerLimits> => {
    if (type === "mimir") {
      const own = await page("/api/v1/user_limits", "", tenant)
      return limitsIn((key) => valueAt(own, key))
    }
    const [overrides, defaults] = await Promise.all([
      page("/runtime_config", "?mode=diff"),
      page("/config", "?mode=diff"),
    ])
    // the pages show nothing of what is as Cortex' default, which is no limit
    const isKnown = defaults instanceof Map
    return limitsIn(
      (key) =>
        valueAt(overrides, "overrides", tenant, key) ?? valueAt(defaults, "limits", key) ?? (isKnown ? "0" : undefined),
    )
  }

  function limitsIn(text: (key: string) => string | undefined): RulerLimits {
    const limit = (name: keyof RulerLimits): number | undefined => {
      const number = Number(text(KEYS[name]) ?? configured[name])
      return Number.isInteger(number) && number > 0 ? number : undefined
    }
    return { groups: limit("groups"), rulesPerGroup: limit("rulesPerGroup") }
  }
}

function valueAt(page: unknown, ...keys: readonly string[]): string | undefined {
  const value = keys.reduce<unknown>((part, key) => (part instanceof Map ? part.get(key) : undefined), page)
  return typeof value === "string" ? value : undefined
}
