import { describeCredentials } from "#core/auth/describe.ts"
import { printSelector } from "#core/promql/selector.ts"
import type { Client, ClientLimits, ClientPolicy } from "./client.ts"

type DescribedPolicy<C extends Client> = Pick<
  ClientPolicy<C>,
  "clients" | "tokens" | "issuers" | "certificates" | "reuse" | "warnings" | "requestBytes"
>

/**
 * A policy for people: how each client is authenticated and until when, and what it may read. No secrets, no whole hashes.
 * `source`: of its first line; `own`: lines of a client besides.
 */
export function describeClients<C extends Client>(
  file: string,
  policy: DescribedPolicy<C>,
  now: Date,
  source: string,
  own: (client: C) => readonly (readonly [key: string, value: string])[] = () => [],
): string {
  const { clients, reuse, requestBytes, warnings } = policy
  const summary = [
    `${file}: ${clients.length === 1 ? "1 client" : `${clients.length} clients`}`,
    source,
    reuse === 0 ? "responses are not reused" : `responses are reused for ${reuse} s`,
    `requests have at most ${requestBytes} bytes`,
  ]
  return [
    `${summary.join("; ")}\n`,
    ...clients.map((client) => `\n${describeClient(client, policy, now, own(client))}`),
    ...(warnings.length === 0 ? [] : ["\n"]),
    ...warnings.map(({ where, message }) => `warning: ${where}: ${message}\n`),
  ].join("")
}

function describeClient<C extends Client>(
  client: C,
  policy: DescribedPolicy<C>,
  now: Date,
  own: readonly (readonly [key: string, value: string])[],
): string {
  const lines: (readonly [string, string])[] = [
    ...describeCredentials(client, policy, now).map((credential) => ["known by", credential] as const),
    ...own,
    ...client.shared.map(({ selector, where }) => ["may read", `${printSelector(selector)}  (${where})`] as const),
    ...(client.enforce ? [["enforced", "other requests are cut down to that"] as const] : []),
    ["limits", describeLimits(client.limits)],
  ]
  return `${client.name}  (${client.where})\n${lines.map(([key, value]) => `  ${key}  ${value}\n`).join("")}`
}

function describeLimits(limits: ClientLimits): string {
  const { concurrent, requestsPerSecond, responseBytes, series, upstreamTimeout, selectors, selectorCharacters } =
    limits
  const requests = `${concurrent} at once, ${requestsPerSecond} a second, ${selectors} selectors of ${selectorCharacters} characters`
  return `${requests}; ${responseBytes} bytes, ${series} series, ${upstreamTimeout} s`
}
