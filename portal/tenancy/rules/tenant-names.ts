/** Tenants with series of their own; resources can name any number of them. */
const MOST = 1000
/** No id has these brackets. */
export const OTHERS = "<others>"

export type TenantNames = ReturnType<typeof createTenantNames>

/**
 * Under which name a tenant's numbers stand: its own, or that of all others where every place is taken. `full`: called with
 * the number of places when that happens first.
 */
export function createTenantNames(full: (most: number) => void, most = MOST) {
  const named = new Set<string>()
  const idle = new Set<string>()
  const others = new Set<string>()
  const listeners: ((tenant: string) => void)[] = []
  let isTold = false

  function makePlace(): boolean {
    if (named.size < most) return true
    const [oldest] = idle
    if (oldest === undefined) return false
    named.delete(oldest)
    idle.delete(oldest)
    for (const drop of listeners) drop(oldest)
    return true
  }

  return {
    of(tenant: string): string {
      idle.delete(tenant)
      if (named.has(tenant)) return tenant
      if (makePlace()) {
        named.add(tenant)
        others.delete(tenant)
        return tenant
      }
      others.add(tenant)
      if (!isTold) full(most)
      isTold = true
      return OTHERS
    },
    /** No resource names it now: its place is given to another tenant when there is no other. */
    leave(tenant: string): void {
      if (named.has(tenant)) idle.add(tenant)
      others.delete(tenant)
    },
    /** Calls back with each tenant whose series are to go. */
    onDrop(listener: (tenant: string) => void): void {
      listeners.push(listener)
    },
    /** Tenants among the others. */
    notShown: (): number => others.size,
  }
}
