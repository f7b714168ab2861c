import { isIP } from "node:net"
import { hostnameOf, isLocalToTheMachine, portOf, withPort } from "./addresses.ts"
import { type Connection, connectToEach, MOST_ADDRESSES } from "./connection.ts"
import type { Resolution } from "./names.ts"
import type { CauseId } from "../causes/index.ts"
import type { Problem } from "./checklist.ts"
import { causeOfFailure } from "./failures.ts"
import { commonDetails, type Visit } from "./visit.ts"

/** Where the connections of a visit go: the address of the site, or of its forward proxy. */
export interface Reached {
  readonly address: string
  readonly port: number
}

/** The stages name and connection, of the site or of its forward proxy; undefined where one failed. */
export async function reach(visit: Visit): Promise<Reached | undefined> {
  const { proxy_url: proxy, url } = visit.site
  const target = proxy ?? url
  const addresses = await resolveTarget(visit, target)
  if (addresses === undefined) return undefined
  return connectTo(visit, target, addresses)
}

async function resolveTarget(visit: Visit, target: URL): Promise<readonly string[] | undefined> {
  const { checklist, deadline, resolve, site } = visit
  checklist.begin("name")
  const host = hostnameOf(target)
  const through = site.proxy_url === undefined ? "" : `forward proxy ${target.host}: `
  if (isIP(host) !== 0) {
    checklist.passed(`${through}${host}`)
    return [host]
  }
  const resolution = await resolve(host, deadline.signal).catch((error: unknown): Resolution => {
    if (!deadline.exceeded) throw error
    return { kind: "failed", failure: "timeout", servers: [] }
  })
  if (resolution.kind === "failed") {
    const { cause, words } = NAME_FAILURES[resolution.failure]
    const resolver = resolution.servers.join(", ")
    fail(visit, { cause, words: `${host}: ${words}`, details: resolver === "" ? {} : { resolver } })
    return undefined
  }
  const { addresses, from } = resolution
  const allowed = addresses.filter((address) => !isLocalToTheMachine(address))
  const refused = addresses.filter(isLocalToTheMachine)
  if (allowed.length === 0) {
    const words = `${host} leads to ${refused.join(", ")}, which belongs to the portal's own machine`
    fail(visit, { cause: "address_not_allowed", words, details: { address: refused.join(", ") } })
    return undefined
  }
  const listed = allowed.slice(0, MOST_ADDRESSES).join(", ")
  const more = allowed.length > MOST_ADDRESSES ? ` and ${allowed.length - MOST_ADDRESSES} more` : ""
  const left = refused.length === 0 ? "" : `; not used: ${refused.slice(0, MOST_ADDRESSES).join(", ")}`
  checklist.passed(`${through}${listed}${more}${left}${from === "hosts" ? " (by the hosts file)" : ""}`)
  return allowed
}

const NAME_FAILURES = {
  not_found: { cause: "name_not_found", words: "does not exist (NXDOMAIN, or without an address)" },
  servfail: { cause: "resolver_failed", words: "the name server cannot resolve it (SERVFAIL)" },
  denied: { cause: "resolver_failed", words: "the name server refuses to resolve it (REFUSED)" },
  timeout: { cause: "resolver_failed", words: "the name server does not respond" },
  unreachable: { cause: "resolver_failed", words: "no name server listens" },
  malformed: { cause: "resolver_failed", words: "the name server's response is malformed" },
} as const

async function connectTo(visit: Visit, target: URL, addresses: readonly string[]): Promise<Reached | undefined> {
  const { checklist, deadline } = visit
  checklist.begin("connection")
  const port = portOf(target)
  const connections = await connectToEach(addresses, port, deadline.signal)
  const words = connections.map((one) => wordsOf(one, port)).join("; ")
  const open = connections.find(({ failure }) => failure === undefined)
  const dead = connections.filter(({ failure }) => failure !== undefined)
  if (open === undefined) {
    const [first] = dead
    const address = dead.map((one) => withPort(one.address, port)).join(", ")
    fail(visit, {
      cause: causeOfFailure(first?.failure),
      words,
      details: { address, stage: "connection", text: words },
    })
    return undefined
  }
  checklist.passed(words)
  // a portal without IPv6 cannot reach such addresses of any site
  const noted = dead.filter(({ failure }) => failure !== "no_route")
  if (noted.length > 0)
    checklist.note({
      cause: "address_dead",
      details: { ...commonDetails(visit), address: noted.map((one) => withPort(one.address, port)).join(", ") },
    })
  return { address: open.address, port }
}

function wordsOf({ address, failure, seconds }: Connection, port: number): string {
  const where = withPort(address, port)
  if (failure === undefined) return `${where} in ${Math.round(seconds * 1000)} ms`
  return `${where} ${FAILURE_WORDS[failure] ?? "cannot be connected to"}`
}

const FAILURE_WORDS: Readonly<Partial<Record<string, string>>> = {
  refused: "refuses the connection",
  no_answer: "does not respond",
  no_route: "has no route from here",
  blocked_locally: "is forbidden by this machine",
  fds: "cannot be tried: too many open files",
}

interface Failed {
  readonly cause: CauseId
  readonly words: string
  readonly details: Readonly<Record<string, string>>
}

/** What is wrong with the forward proxy is not wrong with the site. */
function fail(visit: Visit, { cause, words, details }: Failed): void {
  const { checklist, site } = visit
  const common = commonDetails(visit)
  const { proxy_url: proxy } = site
  if (proxy === undefined) return checklist.failed({ cause, details: { ...common, ...details } }, words)
  const problem: Problem = { cause: "forward_proxy", details: { ...common, proxy: proxy.origin, reason: words } }
  checklist.failed(problem, `forward proxy ${proxy.host}: ${words}`)
}
