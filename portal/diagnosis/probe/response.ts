import { STATUS_CODES } from "node:http"
import { credentialsOf } from "../../federation/credentials-of.ts"
import type { ProbeReport } from "../probe-report.ts"
import { spanInWords, time } from "../words.ts"
import { withPort } from "./addresses.ts"
import { clockSkew } from "./clock.ts"
import { judgeDelivery } from "./delivery.ts"
import { causeOfFailure } from "./failures.ts"
import { endsOtherwise } from "./hung-up.ts"
import type { Reached } from "./reach.ts"
import type { Received, Sending } from "./request.ts"
import { refusedSelectors, sharedBy } from "./selectors.ts"
import { firstBytes } from "./sniff.ts"
import { causeOfStatus } from "./statuses.ts"
import { problemOf } from "./tls.ts"
import { tokenTimes } from "./token-times.ts"
import { commonDetails, shown, type Visit } from "./visit.ts"

export type Judgement = Pick<ProbeReport, "clockSkew" | "tokenExpires" | "newestSample" | "series">

export interface Response {
  readonly received: Received
  readonly requestedAt: Date
  readonly sending: Sending
  readonly reached: Reached
}

/** The stages token, selectors and response, and what follows them. */
export async function judge(visit: Visit, response: Response): Promise<Judgement> {
  const { received, requestedAt, sending } = response
  const skew = clockSkew(received, requestedAt)
  const { expires } = tokenTimes(sending.authorization)
  const judgement: Judgement = {
    ...(skew === undefined ? {} : { clockSkew: skew }),
    ...(expires === undefined ? {} : { tokenExpires: expires }),
  }
  const { status } = received
  if (status === undefined) {
    await noResponse(visit, response)
    return judgement
  }
  if (status === 401) unauthorized(visit, response, skew)
  else if (status === 403) await forbidden(visit, response)
  else if (status !== 200) otherStatus(visit, received, status)
  else {
    visit.checklist.passed(credentialsOf(visit.site), "token")
    noteEndOfToken(visit, sending)
    visit.checklist.passed(visit.site.match.join(", "), "selectors")
    return { ...judgement, ...judgeDelivery(visit, received, skew) }
  }
  return judgement
}

/** What belongs to the TLS handshake shows only now: in TLS 1.3 a server refuses a client certificate after it. */
async function noResponse(visit: Visit, { received, reached }: Response): Promise<void> {
  const { checklist, site, deadline, now } = visit
  const { reason = "unknown", problem = "" } = received.failure ?? {}
  if (reason.startsWith("tls_"))
    return checklist.failed(await problemOf(visit, reached, undefined, { reason, problem }), problem, "tls")
  const address = withPort(reached.address, reached.port)
  const details = { ...commonDetails(visit), address, stage: "headers", begun: "no", time: time(now()), text: problem }
  const { proxy_url: proxy } = site
  const direct = proxy === undefined
  // undici makes an error of this response
  if (proxy !== undefined && problem.endsWith("(407)"))
    return checklist.failed({ cause: "forward_proxy_auth", details: { ...details, proxy: proxy.origin } }, problem)
  if (direct && (reason === "hung_up" || reason === "reset") && (await endsOtherwise(visit, reached, details))) return
  if (reason !== "not_http" || !direct || site.url.protocol === "https:")
    return checklist.failed({ cause: causeOfFailure(reason), details }, problem)
  const start = shown(await firstBytes(reached.address, reached.port, deadline.signal), visit, 40)
  checklist.failed({ cause: "not_http", details: { ...details, start } }, `${problem}: ${start}`)
}

function unauthorized(visit: Visit, { received, sending }: Response, skew: number | undefined): void {
  const { checklist, site } = visit
  const said = firstLine(received, visit)
  const detail = [validity(visit, sending), said].filter((part) => part !== "").join("; ")
  const notable = skew !== undefined && Math.abs(skew) >= NOTABLE_SKEW
  const details = { ...commonDetails(visit), detail, skew: notable ? String(skew) : undefined }
  const words = `401 to ${credentialsOf(site)}${detail === "" ? "" : `: ${detail}`}`
  checklist.failed({ cause: "unauthorized", details }, words, "token")
}

/** Less than a quarter of its life is left: it should have been renewed by now. */
function noteEndOfToken(visit: Visit, { authorization }: Sending): void {
  const { checklist, site, now } = visit
  const { issued, notBefore, expires } = tokenTimes(authorization)
  const begin = issued ?? notBefore
  if (begin === undefined || expires === undefined || site.oauth2 !== undefined) return
  const left = expires.getTime() - now().getTime()
  if (left <= 0 || left * 4 >= expires.getTime() - begin.getTime()) return
  const details = { ...commonDetails(visit), in: `in ${spanInWords(left / 1000)}` }
  checklist.note({
    cause: "token_expires",
    details: { ...details, file: site.token?.file ?? site.authorization?.credentials_file },
  })
}

/** Seconds beyond which a clock may be why a token is refused. */
const NOTABLE_SKEW = 5

/** Why the token itself cannot be accepted now. */
function validity({ now }: Visit, { authorization }: Sending): string {
  const { notBefore, expires } = tokenTimes(authorization)
  const passed = (date: Date): number => (now().getTime() - date.getTime()) / 1000
  if (expires !== undefined && passed(expires) >= 0) return `the token expired ${spanInWords(passed(expires))} ago`
  if (notBefore === undefined || passed(notBefore) >= 0) return ""
  return `the token is valid in ${spanInWords(-passed(notBefore))}`
}

async function forbidden(visit: Visit, { received, sending }: Response): Promise<void> {
  const { checklist, site } = visit
  const said = firstLine(received, visit)
  const { refused, tried } = await refusedSelectors(visit, sending)
  const selector = refused.join(" and ")
  const which =
    site.match.length === 1
      ? ""
      : refused.length === 0
        ? `none of ${tried} is refused alone; `
        : `${refused.length} of ${tried} refused: ${selector}; `
  checklist.passed(credentialsOf(site), "token")
  const details = { ...commonDetails(visit), selector, ...sharedBy(received, visit) }
  checklist.failed({ cause: "forbidden", details }, `403: ${which}${said}`, "selectors")
}

function otherStatus(visit: Visit, received: Received, status: number): void {
  const { checklist, now } = visit
  const cause = causeOfStatus(status) ?? "wrong_server"
  const { location, "retry-after": retryAfter } = received.headers
  const said = firstLine(received, visit)
  const details = {
    ...commonDetails(visit),
    ...{ status: `${status} ${STATUS_CODES[status] ?? ""}`.trim(), detail: said, time: time(now()) },
    ...(cause === "redirect" && location !== undefined ? { location: shown(location, visit) } : {}),
    ...(cause === "rate_limited" ? { limit: said, retry_after: /^\d{1,6}$/.exec(retryAfter ?? "")?.[0] } : {}),
    ...(cause === "forward_proxy_auth" ? { proxy: visit.site.proxy_url?.origin } : {}),
  }
  const unknown = `a response with ${status} does not show it`
  for (const stage of ["token", "selectors"] as const) checklist.unknown(unknown, stage)
  const to = "location" in details ? ` to ${details.location}` : ""
  checklist.failed({ cause, details }, `${status}${to}${said === "" ? "" : `: ${said}`}`)
}

/** Of a page for browsers it says nothing. */
function firstLine({ body }: Received, visit: Visit): string {
  const [line = ""] = body.subarray(0, 4096).toString("utf8").trim().split("\n")
  return line.startsWith("<") ? "" : shown(line, visit)
}
