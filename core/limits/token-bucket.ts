export interface TokenBucket {
  /** 0 where a token was taken, else the seconds until there is one. */
  take(): number
  /** Returns a token that was taken. */
  give(): void
}

export interface Rate {
  /** On average. */
  readonly perSecond: number
  /** At once. */
  readonly burst: number
}

const NANOSECONDS = 1e9
/** Nanoseconds that one amount can take, 30 years: the time must fit into 64 bits, at any rate. */
const LONGEST = 1e18

/**
 * A bucket is the time until which it is used up, in whole nanoseconds: fractions of tokens would add up to a rounding
 * error, by which one that is there would be refused. `now` in milliseconds; `least`: tokens that must be there. Returns
 * that time once `amount` is spent, or the seconds to wait for.
 */
export function spend(
  until: bigint,
  { perSecond, burst }: Rate,
  now: number,
  amount: number,
  least: number,
): { readonly until: bigint } | { readonly wait: number } {
  const time = BigInt(Math.round(now * (NANOSECONDS / 1000)))
  const begin = until > time ? until : time
  const over = Number(begin - time) - Math.round(((burst - least) / perSecond) * NANOSECONDS)
  if (over > 0) return { wait: over / NANOSECONDS }
  const took = Math.max(-LONGEST, Math.min(LONGEST, (amount / perSecond) * NANOSECONDS))
  // cut off: tokens that are taken one by one are never more than the same at once
  return { until: begin + BigInt(Math.trunc(took)) }
}

function spender(rate: Rate, now: () => number) {
  let until = 0n
  return (amount: number, least: number): number => {
    const result = spend(until, rate, now(), amount, least)
    if ("wait" in result) return result.wait
    until = result.until
    return 0
  }
}

export function tokenBucket(rate: Rate, now: () => number): TokenBucket {
  const spendTokens = spender(rate, now)
  return { take: () => spendTokens(1, 1), give: () => void spendTokens(-1, -Infinity) }
}

export interface DebtBucket {
  /** 0 where the tokens were taken, also more than there are; else the seconds until those before are paid for. */
  spend(tokens: number): number
}

/** For what is counted by amounts that may be larger than the burst. */
export function debtBucket(rate: Rate, now: () => number): DebtBucket {
  const spendTokens = spender(rate, now)
  return { spend: (amount) => spendTokens(amount, 0) }
}
