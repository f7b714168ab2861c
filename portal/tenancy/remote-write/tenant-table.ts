import { type Counts, KINDS } from "./message/counts.ts"

/** What is counted of a tenant. */
export class TenantNumbers {
  /** Upstream requests. */
  requests = 0
  /** Of them all. */
  seconds = 0
  /** Accepted. */
  series = 0
  readonly written: Record<keyof Counts, number> = { samples: 0, histograms: 0, exemplars: 0 }
  /** Slices by what became of them. */
  readonly results = new Map<string, number>()

  settled(result: string, series: number, written: Counts): void {
    this.results.set(result, (this.results.get(result) ?? 0) + 1)
    if (result === "accepted") this.series += series
    for (const kind of KINDS) this.written[kind] += written[kind]
  }
}

/** Tenants with numbers of their own; senders can make up any number of names. */
const MOST_TENANTS = 1000
/** No id has these brackets. */
const OTHERS = "<others>"
/** Milliseconds without a slice, after which a tenant gives its place to another. */
const IDLE = 3_600_000

/** Numbers by tenant, bounded: one that comes when all places are taken gets one of an idle tenant, or counts among the others. */
export function createTenantTable(now: () => number) {
  const tenants = new Map<string, { readonly numbers: TenantNumbers; usedAt: number }>()

  function create(tenant: string): TenantNumbers {
    const numbers = new TenantNumbers()
    tenants.set(tenant, { numbers, usedAt: now() })
    return numbers
  }
  function makePlace(): boolean {
    if (tenants.size < MOST_TENANTS) return true
    const oldest = now() - IDLE
    for (const [tenant, { usedAt }] of tenants) {
      if (tenant === OTHERS || usedAt > oldest) continue
      tenants.delete(tenant)
      return true
    }
    return false
  }

  return {
    of(tenant: string): TenantNumbers {
      const known = tenants.get(tenant)
      if (known === undefined) return makePlace() ? create(tenant) : (tenants.get(OTHERS)?.numbers ?? create(OTHERS))
      known.usedAt = now()
      return known.numbers
    },
    /** The name under which its numbers stand. */
    shownAs: (tenant: string): string => (tenants.has(tenant) ? tenant : OTHERS),
    *rows(): Generator<readonly [tenant: string, numbers: TenantNumbers]> {
      for (const [tenant, { numbers }] of tenants) yield [tenant, numbers]
    },
  }
}
