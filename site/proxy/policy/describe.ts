import type { TokenCredential } from "#core/auth/token-table.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Client, ClientLimits, Policy } from "./types.ts"

/** A policy for people: how each client is authenticated and until when, and what it may read. No secrets, no whole hashes. */
export function describePolicy(file: string, policy: Policy, now: Date): string {
  const { clients, upstreams, reuse, requestBytes, warnings } = policy
  const summary = [
    `${file}: ${clients.length === 1 ? "1 client" : `${clients.length} clients`}`,
    `upstream ${upstreams.map((url) => showUpstream(url, policy)).join(", then ")}`,
    reuse === 0 ? "responses are not reused" : `responses are reused for ${reuse} s`,
    `requests have at most ${requestBytes} bytes`,
  ]
  return [
    `${summary.join("; ")}\n`,
    ...clients.map((client) => `\n${describeClient(client, policy, now)}`),
    ...(warnings.length === 0 ? [] : ["\n"]),
    ...warnings.map(({ where, message }) => `warning: ${where}: ${message}\n`),
  ].join("")
}

function showUpstream({ href }: URL, { path, accesses }: Policy): string {
  const access = accesses.get(href)
  return `${href.replace(/\/$/, "")}${path}${access === undefined ? "" : ` (${access.shown || "with TLS settings"})`}`
}

function describeClient(client: Client, policy: Policy, now: Date): string {
  const lines: (readonly [string, string])[] = [
    ...credentialsOf(client, policy, now).map((credential) => ["known by", credential] as const),
    ...client.shared.map(({ selector, where }) => ["may read", `${printSelector(selector)}  (${where})`] as const),
    ...(client.enforce ? [["enforced", "other requests are cut down to that"] as const] : []),
    ["limits", describeLimits(client.limits)],
  ]
  return `${client.name}  (${client.where})\n${lines.map(([key, value]) => `  ${key}  ${value}\n`).join("")}`
}

function credentialsOf(client: Client, { tokens, issuers, certificates }: Policy, now: Date): readonly string[] {
  const isOf = ({ owner }: { readonly owner: Client }): boolean => owner === client
  return [
    ...tokens
      .filter(isOf)
      .map((token) => `token with hash ${token.sha256.toString("hex").slice(0, 8)}…, ${validity(token, now)}`),
    ...issuers
      .filter(isOf)
      .map(({ issuer, audience }) => `JWT of ${issuer} for ${audience.join(" or ")}, until it expires`),
    ...certificates.filter(isOf).map(({ names }) => `client certificate with ${names.join(" or ")}`),
  ]
}

/** In words, as of `now`. */
function validity({ validFrom, notAfter }: TokenCredential<Client>, now: Date): string {
  if (notAfter !== undefined && now >= notAfter) return `expired since ${notAfter.toISOString()}`
  const until = notAfter === undefined ? "without end" : `until ${notAfter.toISOString()}`
  return validFrom !== undefined && now < validFrom ? `from ${validFrom.toISOString()}, ${until}` : `valid ${until}`
}

function describeLimits(limits: ClientLimits): string {
  const { concurrent, requestsPerSecond, responseBytes, series, upstreamTimeout, selectors, selectorCharacters } =
    limits
  const requests = `${concurrent} at once, ${requestsPerSecond} a second, ${selectors} selectors of ${selectorCharacters} characters`
  return `${requests}; ${responseBytes} bytes, ${series} series, ${upstreamTimeout} s`
}
