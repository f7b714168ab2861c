import { connect, type Socket } from "node:net"
import type { ConnectionFailure } from "#core/http/connection-failure.ts"
import { routeOf, secureContextOf } from "../../federation/site-agent.ts"
import type { Details } from "../cause.ts"
import { day, moment, spanInWords } from "../words.ts"
import { hostnameOf, withPort } from "./addresses.ts"
import type { Problem } from "./checklist.ts"
import { causeOfAlert, causeOfFailure } from "./failures.ts"
import { type Expected, type Handshake, handshake, type ServerCertificate } from "./handshake.ts"
import { pinnedTo } from "./lookup.ts"
import type { Reached } from "./reach.ts"
import { firstBytes } from "./sniff.ts"
import { openThrough } from "./tunnel.ts"
import { commonDetails, shown, type Visit } from "./visit.ts"

/** The stage tls; also passed where the url is http://. Nothing but the handshake is sent. */
export async function checkTls(
  visit: Visit,
  reached: Reached,
): Promise<{ readonly passed: boolean; readonly certificate?: ServerCertificate | undefined }> {
  const { checklist, site } = visit
  checklist.begin("tls")
  if (site.url.protocol === "http:") {
    checklist.skipped("the url is http://")
    return { passed: true }
  }
  const seen = await shakeHands(visit, reached)
  if (seen === undefined) return { passed: false }
  const { certificate, protocol = "TLS", failures } = seen
  if (failures.length === 0) {
    checklist.passed(certificate === undefined ? protocol : `${protocol}, ${describe(certificate, visit)}`)
    return { passed: true, certificate }
  }
  for (const [index, failure] of failures.entries()) {
    const problem = await problemOf(visit, reached, certificate, failure)
    const words = certificate === undefined ? failure.problem : `${failure.problem}: ${describe(certificate, visit)}`
    if (index === 0) checklist.failed(problem, words)
    else checklist.note(problem)
  }
  return { passed: false, certificate }
}

/** Undefined where the forward proxy opens no connection, which is noted. */
async function shakeHands(visit: Visit, reached: Reached): Promise<Handshake | undefined> {
  const { deadline } = visit
  const socket = await openSocket(visit, reached)
  return socket && handshake(socket, expectedOf(visit), deadline.signal)
}

export const expectedOf = ({ site, contents }: Pick<Visit, "site" | "contents">): Expected => ({
  name: site.tls?.server_name ?? hostnameOf(site.url),
  secureContext: secureContextOf(routeOf(site), contents),
})

async function openSocket(visit: Visit, { address, port }: Reached): Promise<Socket | undefined> {
  const { checklist, site, deadline } = visit
  const { proxy_url: proxy } = site
  if (proxy === undefined) return connect({ host: address, port })
  const opened = await openThrough(proxy, site.url, pinnedTo(address), deadline.signal)
  if (opened.kind === "open") return opened.socket
  const { status, problem } = opened
  const cause = status === 407 || status === 403 ? "forward_proxy_auth" : "forward_proxy"
  const details = { ...commonDetails(visit), proxy: proxy.origin, reason: problem }
  checklist.failed({ cause, details }, `forward proxy ${proxy.host}: ${problem}`, "connection")
  return undefined
}

/** What belongs to a handshake that failed; OpenSSL knows of some servers only that they do not speak TLS. */
export async function problemOf(
  visit: Visit,
  reached: Reached,
  certificate: ServerCertificate | undefined,
  { reason, problem }: { readonly reason: ConnectionFailure; readonly problem: string },
): Promise<Problem> {
  const { address, port } = reached
  const { site, deadline } = visit
  const details = {
    ...commonDetails(visit),
    ...{ host: expectedOf(visit).name, address: withPort(address, port), stage: "tls", text: problem },
    ...(certificate === undefined ? {} : certificateDetails(visit, certificate)),
  }
  if (reason === "tls_refused") {
    const { cause, alert } = causeOfAlert(problem)
    return { cause, details: { ...details, alert } }
  }
  if ((reason === "hung_up" || reason === "reset") && (await isByCertificate(visit, reached)))
    return { cause: "tls_client_cert_refused", details }
  if (reason !== "tls_to_plain" || site.proxy_url !== undefined) return { cause: causeOfFailure(reason), details }
  const start = await firstBytes(address, port, deadline.signal)
  if (start.startsWith("HTTP/")) return { cause: "tls_to_plain", details }
  return { cause: "not_tls", details: { ...details, start: shown(start, visit, 40) } }
}

/** Whether a handshake that the server breaks off without a word goes on where no client certificate is shown. */
async function isByCertificate({ site, contents, deadline }: Visit, { address, port }: Reached): Promise<boolean> {
  const { tls = {}, proxy_url: proxy } = site
  if (tls.cert_file === undefined || proxy !== undefined) return false
  const { cert_file: _cert, key_file: _key, ...without } = tls
  const expected = expectedOf({ site: { ...site, tls: without }, contents })
  const { failures } = await handshake(connect({ host: address, port }), expected, deadline.signal)
  return !failures.some(({ reason }) => reason === "hung_up" || reason === "reset" || reason === "no_answer")
}

function certificateDetails(visit: Visit, certificate: ServerCertificate): Details {
  const { notAfter, notBefore, issuer } = certificate
  const sinceEnd = (visit.now().getTime() - notAfter.getTime()) / 1000
  return {
    issuer: shown(issuer, visit),
    names: namesIn(certificate, visit),
    not_after: moment(notAfter),
    not_before: moment(notBefore),
    ...(sinceEnd < 0 ? {} : { ago: spanInWords(sinceEnd) }),
  }
}

/** Names beyond these are counted. */
const MOST_NAMES = 5

function namesIn({ names, subject }: ServerCertificate, visit: Visit): string {
  if (names.length === 0) return `no name (its common name ${shown(subject, visit, 100)} does not count)`
  const listed = names.slice(0, MOST_NAMES).map((name) => shown(name, visit, 100))
  return `${listed.join(", ")}${names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : ""}`
}

function describe(certificate: ServerCertificate, visit: Visit): string {
  const { issuer, notAfter, chain } = certificate
  const length = chain.length === 1 ? "" : `, chain of ${chain.length}`
  return `for ${namesIn(certificate, visit)}, by ${shown(issuer, visit, 100)}${length}, until ${day(notAfter)}`
}
