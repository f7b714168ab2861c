import { describeCredentials } from "#core/auth/describe.ts"
import { canonical, printSelector } from "#core/promql/selector.ts"
import { EXPORTED } from "../../../sites/exported.ts"
import type { SenderFiles } from "./entries.ts"
import type { Sender, SenderLimits, Senders } from "./sender.ts"

/** Senders for people: how each is authenticated and until when, and what becomes of what it writes. No secrets, no whole hashes. */
export function describeSenders(files: SenderFiles, senders: Senders, now: Date): string {
  const all = senders.senders
  const names = [files.senders, files.sites].filter((file) => file !== undefined)
  return [
    `${names.join(" and ")}: ${all.length === 1 ? "1 sender" : `${all.length} senders`}\n`,
    ...all.map((sender) => `\n${describeSender(sender, describeCredentials(sender, senders, now))}`),
    ...(senders.warnings.length === 0 ? [] : ["\n"]),
    ...senders.warnings.map(({ where, message }) => `warning: ${where}: ${message}\n`),
  ].join("")
}

function describeSender(sender: Sender, credentials: readonly string[]): string {
  const { name, rules, limits, paused, where } = sender
  const labels = Object.entries(rules?.labels ?? {})
  const renamed = [...(rules?.exported ?? [])].map(([label, times]) => `${label} to ${EXPORTED.repeat(times)}${label}`)
  const lines: (readonly [key: string, value: string])[] = [
    ...credentials.map((credential) => ["known by", credential] as const),
    ["writes for", tenantsOf(sender)],
    ...(labels.length === 0 ? [] : [["sets", printLabels(labels)] as const]),
    ...(renamed.length === 0 ? [] : [["renames", renamed.join(", ")] as const]),
    ...(rules?.match ?? []).map((selector) => ["accepts", printSelector(selector)] as const),
    ...(rules?.match === undefined ? [["accepts", "every series"] as const] : []),
    ["limits", limitsOf(limits)],
    ...(paused === undefined ? [] : [["paused", paused] as const]),
  ]
  return `${name}  (${where})\n${lines.map(([key, value]) => `  ${key}  ${value}\n`).join("")}`
}

/** `{a="1",b="2"}` */
export const printLabels = (labels: readonly (readonly [name: string, value: string])[]): string =>
  printSelector(canonical(labels.map(([label, value]) => ({ label, op: "=", value }))))

function tenantsOf({ tenant, tenants }: Sender): string {
  if (tenant !== undefined) return `${tenant}, whatever its labels are`
  return tenants === undefined ? "any tenant that its labels name" : `${[...tenants].join(", ")}, by its labels`
}

function limitsOf({ samplesPerSecond, requestsPerSecond, concurrent, bytesInFlight }: SenderLimits): string {
  const limits = [
    [samplesPerSecond, "samples a second"],
    [requestsPerSecond, "requests a second"],
    [concurrent, "requests at once"],
    [bytesInFlight, "bytes in flight"],
  ] as const
  const given = limits.filter(([limit]) => limit !== Infinity)
  return given.length === 0 ? "none of its own" : given.map(([limit, what]) => `${limit} ${what}`).join(", ")
}
