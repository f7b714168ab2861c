/** Seconds of deciding that a client may cause at once, and per second of time for as long as it goes on. */
const AT_ONCE = 2
const PER_SECOND = 0.05

export interface Effort {
  /** Seconds until the client may cause more; 0 where it may now. */
  wait(client: string): number
  /** `seconds` that the client caused. */
  spend(client: string, seconds: number): void
  /** Forgets clients that are no more. */
  keep(names: ReadonlySet<string>): void
}

/**
 * What each client may cost before its requests are known: whether a new selector is shared can take a second to decide,
 * and nobody else is answered meanwhile. Selectors decided before cost nothing. `now` counts milliseconds.
 */
export function limitEffort(now: () => number): Effort {
  const accounts = new Map<string, { left: number; at: number }>()
  const accountOf = (client: string): { left: number; at: number } => {
    const time = now()
    const account = accounts.get(client) ?? { left: AT_ONCE, at: time }
    account.left = Math.min(AT_ONCE, account.left + ((time - account.at) / 1000) * PER_SECOND)
    account.at = time
    accounts.set(client, account)
    return account
  }
  return {
    wait: (client) => Math.max(0, -accountOf(client).left / PER_SECOND),
    spend(client, seconds) {
      accountOf(client).left -= seconds
    },
    keep(names) {
      for (const name of accounts.keys()) if (!names.has(name)) accounts.delete(name)
    },
  }
}
