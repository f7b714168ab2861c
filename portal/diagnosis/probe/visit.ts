import type { Deadline } from "#core/retry/deadline.ts"
import type { Limits } from "../../federation/schema.ts"
import type { Contents } from "../../federation/site-agent.ts"
import type { Site } from "../../federation/sites.ts"
import { withoutSecrets } from "#core/log/without-secrets.ts"
import type { Details } from "../cause.ts"
import type { Checklist } from "./checklist.ts"
import type { ResolveName } from "./names.ts"

/** What is probed. */
export interface ProbeTarget {
  readonly site: Site
  /** Of its secrets and TLS files. */
  readonly contents: Contents
  readonly limits: Limits
  /** All sites of the portal, by whose labels series of another one show. */
  readonly others?: readonly Pick<Site, "name" | "labels">[]
}

/** One probe under way. */
export interface Visit extends ProbeTarget {
  readonly checklist: Checklist
  readonly deadline: Deadline
  readonly resolve: ResolveName
  readonly now: () => Date
  /** What must be seen nowhere. Grows. */
  readonly secrets: string[]
}

/** What hostile servers sent, as it may be shown: without secrets and control characters, and not long. */
export const shown = (text: string, { secrets }: Pick<Visit, "secrets">, most = 300): string => {
  const clean = withoutSecrets(text, secrets).trim()
  return clean.length > most ? `${clean.slice(0, most).toWellFormed()}…` : clean
}

/** What every sentence may name. */
export function commonDetails({ site, deadline }: Visit): Details {
  const [, line] = /:(\d+):\d+ sites\[/.exec(site.where) ?? []
  return {
    host: site.url.hostname,
    url: `${site.url.href.replace(/\/$/, "")}/federate`,
    timeout: `${Math.round(deadline.seconds * 10) / 10} s`,
    ...(line === undefined ? {} : { line }),
  }
}
