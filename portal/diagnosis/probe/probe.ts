import { explain } from "#core/errors.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { agentOf, routeOf } from "../../federation/site-agent.ts"
import type { ProbeReport } from "../probe-report.ts"
import { Checklist } from "./checklist.ts"
import { find } from "../find.ts"
import { nameResolver, type ResolveName } from "./names.ts"
import { reach } from "./reach.ts"
import { judge, type Judgement } from "./response.ts"
import { checkTls } from "./tls.ts"
import { obtainAuthorization } from "./token.ts"
import { pinnedTo } from "./lookup.ts"
import { federationOf } from "../../federation/connect.ts"
import { MOST_BYTES, requestOnce } from "./request.ts"
import { commonDetails, type ProbeTarget, shown, type Visit } from "./visit.ts"

export interface ProbeOptions {
  readonly signal: AbortSignal
  /** For all stages together. */
  readonly seconds?: number
  readonly now?: () => Date
  readonly resolve?: ResolveName
}

const SECONDS = 5

type Seen = Judgement & Pick<ProbeReport, "certificateExpires">

/**
 * Goes the way of a scrape, stage by stage, beside Prometheus: bounded in time and bytes, without following redirects, and with
 * connections only to an address that was checked. Never rejects. Where `signal` is aborted, the rest is not reached.
 */
export async function probe(
  target: ProbeTarget,
  { signal, seconds = SECONDS, now = () => new Date(), resolve = nameResolver() }: ProbeOptions,
): Promise<ProbeReport> {
  const at = now()
  using deadline = new Deadline(seconds, signal)
  const checklist = new Checklist(signal)
  const secret = target.contents.get(target.site.secretFile ?? "")
  const visit: Visit = { ...target, checklist, deadline, resolve, now, secrets: secret === undefined ? [] : [secret] }
  let seen: Seen = {}
  try {
    seen = await walk(visit)
  } catch (error) {
    const text = shown(explain(error), visit)
    checklist.failed({ cause: "other", details: { ...commonDetails(visit), text } }, text)
  }
  const { stages, problems } = checklist
  return {
    site: target.site.name,
    at,
    stages,
    findings: problems.map(({ cause, details }) => find(cause, details)),
    ...seen,
  }
}

async function walk(visit: Visit): Promise<Seen> {
  const { checklist, site, contents, deadline } = visit
  const reached = await reach(visit)
  if (reached === undefined) return {}
  const { passed, certificate } = await checkTls(visit, reached)
  const expiry = certificate === undefined ? {} : { certificateExpires: certificate.notAfter }
  if (!passed) return expiry
  checklist.begin("token")
  const authorization = await obtainAuthorization(visit)
  if (authorization === undefined) return expiry
  const { header } = authorization
  const options = { lookup: pinnedTo(reached.address), headerLimit: MOST_BYTES }
  const dispatcher = agentOf(routeOf(site), contents, options)
  try {
    const sending = { dispatcher, deadline, authorization: header }
    checklist.begin("response")
    const requestedAt = visit.now()
    const received = await requestOnce(federationOf(site, site.match), sending)
    return { ...expiry, ...(await judge(visit, { received, requestedAt, sending, reached })) }
  } finally {
    await dispatcher.destroy()
  }
}
