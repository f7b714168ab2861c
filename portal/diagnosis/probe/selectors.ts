import { limitConcurrency } from "#core/limits/concurrency.ts"
import { federationOf } from "../../federation/connect.ts"
import type { Details } from "../cause.ts"
import { type Received, requestOnce, type Sending } from "./request.ts"
import { shown, type Visit } from "./visit.ts"

/** Selectors beyond these are not requested alone. */
const MOST_SELECTORS = 12
/** At the same time: a site may allow a token few. */
const REQUESTS = 2

/** Which of several selectors a site refuses, each requested alone; of one it is known. */
export async function refusedSelectors(
  { site }: Visit,
  sending: Sending,
): Promise<{ readonly refused: readonly string[]; readonly tried: number }> {
  const { match } = site
  if (match.length === 1) return { refused: match, tried: 1 }
  const limited = limitConcurrency(REQUESTS)
  const tried = match.slice(0, MOST_SELECTORS)
  const statuses = await Promise.all(
    tried.map(async (selector) => (await limited(() => requestOnce(federationOf(site, [selector]), sending))).status),
  )
  return { refused: tried.filter((_, index) => statuses[index] === 403), tried: tried.length }
}

/** What `fedstack proxy` says that it shares; empty where something else responds. */
export function sharedBy({ body }: Received, visit: Visit): Details {
  const allowed = /Shared: (.*?)\. Request only what is shared/s.exec(body.toString("utf8"))?.[1]
  return allowed === undefined ? {} : { allowed: shown(allowed, visit) }
}
