import { showPath } from "#core/config/config-file.ts"
import { cleanText } from "#core/log/clean-text.ts"
import { quote } from "../../tenants/quote.ts"
import { DIRECTION } from "../resources/rule-resource.ts"
import type { ReportedStatus, ShownProblem, TenantStatus } from "../resources/status.ts"
import type { Problem } from "../validation/problem.ts"
import type { Unsynced } from "./apply-plan.ts"
import type { ResourceClaims } from "./claims.ts"
import type { Place } from "./desired-state.ts"

/** What is known of the groups of a resource at one place. */
export interface PlaceState {
  readonly place: Place
  /** undefined: the ruler is not configured. */
  readonly state:
    | { readonly fault: string | undefined; readonly isPending: boolean; readonly unsynced: readonly Unsynced[] }
    | undefined
}

/** Entries of a list, and bytes of a text: a status is read by people and kept by the API in every version. */
const MOST_TENANTS = 50
const MOST_PROBLEMS = 50
const LONGEST = 512

type ReportedCondition = ReportedStatus["conditions"][number]

/** The status of a resource without its ledger. Pure: the same state is the same status. */
export function statusOf(all: ResourceClaims, places: readonly PlaceState[], isThrottled: boolean): ReportedStatus {
  const { generation } = all.resource.metadata
  const observed = generation === undefined ? {} : { observedGeneration: generation }
  const tenants = [...places.map(tenantStatus), ...unserved(all)]
  const sorted = tenants.toSorted((a, b) => Number(a.synced) - Number(b.synced))
  const problems = problemsOf(all, places)
  return {
    ...observed,
    conditions: [accepted(all, isThrottled), synced(all, tenants)].map((condition) => ({
      ...{ ...condition, message: cleanText(condition.message, LONGEST), ...observed },
    })),
    ...(tenants.length === 0 ? {} : { tenants: sorted.slice(0, MOST_TENANTS) }),
    ...(tenants.length > MOST_TENANTS ? { tenantsNotShown: tenants.length - MOST_TENANTS } : {}),
    ...(problems.length === 0 ? {} : { problems: problems.slice(0, MOST_PROBLEMS) }),
  }
}

function accepted(
  { resource, mode, faults, problems, tenants, claims }: ResourceClaims,
  isThrottled: boolean,
): ReportedCondition {
  const type = "Accepted"
  if (mode === "deleting")
    return { type, status: "True", reason: "Deleting", message: "its groups are deleted from the rulers" }
  if (mode === "hands-off")
    return {
      type,
      status: "True",
      reason: "NotASource",
      message: `nothing is written of it, as ${DIRECTION} is ${quote(resource.metadata.annotations?.[DIRECTION] ?? "")}`,
    }
  if (faults.length > 0)
    return {
      type,
      status: "False",
      reason: "InvalidResource",
      message: faults.map(({ message }) => message).join("; "),
    }
  const invalid = new Set(
    [...problems.values()].flat().flatMap(({ group, problem }) => (isError(problem) ? [group] : [])),
  )
  const total = new Set([...claims.values()].flat().map(({ key }) => key)).size
  if (invalid.size > 0)
    return {
      type,
      status: "False",
      reason: "InvalidGroups",
      message: `${invalid.size} of ${total} groups are invalid: ${listed([...invalid].map(quote))}`,
    }
  if (isThrottled)
    return {
      type,
      status: "False",
      reason: "ConflictOfWriters",
      message:
        "it is changed again and again, as by two controllers that undo what the other does: changes are followed rarely",
    }
  if (tenants.length === 0)
    return { type, status: "True", reason: "NoTenants", message: "it has no tenants, so nothing is written" }
  return {
    type,
    status: "True",
    reason: "Valid",
    message: total === 1 ? "its group is valid" : `all ${total} groups are valid`,
  }
}

function synced({ mode, tenants, problems }: ResourceClaims, all: readonly TenantStatus[]): ReportedCondition {
  const type = "Synced"
  const behind = all.filter((one) => !one.synced)
  const hasErrors = problems.values().some((ofRuler) => ofRuler.some(({ problem }) => isError(problem)))
  const [first] = behind.toSorted((a, b) => rank(a.reason) - rank(b.reason))
  if (mode === "hands-off") return { type, status: "Unknown", reason: "NotASource", message: "nothing is compared" }
  if (first === undefined)
    return {
      type,
      status: "True",
      reason: "Synced",
      message: `the rulers hold its ${hasErrors ? "valid " : ""}groups for ${tenants.length} tenant${tenants.length === 1 ? "" : "s"}`,
    }
  const status = rank(first.reason) > 0 ? "Unknown" : "False"
  const more = behind.length > 1 ? ` (and ${behind.length - 1} more of ${all.length} tenants at rulers)` : ""
  const message = `tenant ${first.tenant} at ${first.ruler}: ${first.message ?? ""}${more}`
  return { type, status, reason: first.reason ?? "Pending", message }
}

/** What passes by itself comes after what does not. */
const rank = (reason: string | undefined): number => ["DeletionWaits", "Pending"].indexOf(reason ?? "") + 1

/** Whose groups are at no ruler. */
function unserved({ tenants, tenantsAt }: ResourceClaims): readonly TenantStatus[] {
  const served = new Set([...tenantsAt.values()].flat())
  const message = "no ruler of --rulers has this tenant"
  return tenants
    .filter((tenant) => !served.has(tenant))
    .map((tenant) => ({ tenant, ruler: "none", synced: false, reason: "NoRuler", message }))
}

function tenantStatus({ place: { ruler, tenant }, state }: PlaceState): TenantStatus {
  const behind = (reason: string, message: string): TenantStatus => ({
    ...{ tenant, ruler, synced: false, reason, message: cleanText(message, LONGEST) },
  })
  if (state === undefined)
    return behind(
      "UnknownRuler",
      `this ruler is not configured, so its groups stay there: configure it again, by the same name, or let go of it by --forget-ruler ${ruler}`,
    )
  if (state.fault !== undefined) return behind("RulerFailed", state.fault)
  const [first, ...others] = state.unsynced.toSorted((a, b) => rank(a.reason) - rank(b.reason))
  if (first !== undefined)
    return behind(
      first.reason,
      `${quote(first.address.name)}: ${first.message}${others.length > 0 ? `; ${others.length} more` : ""}`,
    )
  return state.isPending ? behind("Pending", "not compared with the ruler yet") : { tenant, ruler, synced: true }
}

function problemsOf({ faults, problems }: ResourceClaims, places: readonly PlaceState[]): readonly ShownProblem[] {
  const found = [
    ...faults.map((problem) => shown("", problem)),
    ...[...problems.values()].flat().map(({ group, problem }) => shown(group, problem)),
    ...unsyncedProblems(places),
  ]
  const unique = new Map(found.map((problem) => [JSON.stringify(problem), problem]))
  return [...unique.values()].toSorted((a, b) => Number(b.severity === "error") - Number(a.severity === "error"))
}

/** Tenants of the same problem become one entry. */
function unsyncedProblems(places: readonly PlaceState[]): readonly ShownProblem[] {
  const all = places.flatMap(({ place, state }) =>
    (state?.unsynced ?? []).filter(({ reason }) => rank(reason) === 0).map((one) => ({ place, one })),
  )
  const same = Map.groupBy(all, ({ one: { address, message, reason } }) =>
    JSON.stringify([address.name, reason, message]),
  )
  return [...same.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { address, reason, message } = first.one
    const where = `tenants ${listed([...new Set(group.map(({ place }) => place.tenant))])}`
    return [
      {
        group: cleanText(address.name, LONGEST),
        where,
        severity: "error",
        message: cleanText(`${reason}: ${message}`, LONGEST),
      },
    ]
  })
}

function shown(group: string, { severity, path, span, message }: Problem): ShownProblem {
  const where = [showPath(path), ...(span === undefined ? [] : [`character ${span.from + 1}`])].filter(
    (part) => part !== "",
  )
  return {
    group: cleanText(group, LONGEST),
    where: cleanText(where.join(" "), LONGEST),
    severity,
    message: cleanText(message, LONGEST),
  }
}

const isError = ({ severity }: Problem): boolean => severity === "error"

const FEW = 5
const listed = (names: readonly string[]): string =>
  `${names.slice(0, FEW).join(", ")}${names.length > FEW ? ` and ${names.length - FEW} more` : ""}`
