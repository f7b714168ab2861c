import { keyOf } from "#core/kubernetes/resource.ts"
import { quote } from "../../tenants/quote.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { tenantsOfRule } from "../../tenants/tenants-of-rule.ts"
import { addressKey, type GroupAddress } from "../model/address.ts"
import { isTooDeep } from "../fields.ts"
import type { RuleGroup } from "../model/group.ts"
import { DIRECTION, type RuleResource } from "../resources/rule-resource.ts"
import type { Problem } from "../validation/problem.ts"
import type { Steps } from "../validation/steps.ts"
import type { Target } from "../validation/target.ts"
import type { ValidatedGroup } from "../validation/validate-group.ts"
import type { NamespaceTemplate } from "./namespace-template.ts"

/** A group as a resource wants it at a ruler, for each of its tenants. */
export interface Claim {
  /** The resource, by namespace/name. */
  readonly owner: string
  /** Sorts by the age of the resource: of several claims to an address the oldest counts. */
  readonly since: string
  readonly address: GroupAddress
  readonly key: string
  /** undefined: it is invalid, and what the resource wrote before stays. */
  readonly group: RuleGroup | undefined
}

/** `source`: its groups are desired. `deleting`: it wants none. `hands-off`: another source was chosen, nothing is changed. */
export type Mode = "source" | "deleting" | "hands-off"

export interface GroupProblem {
  /** "" where it is a problem of the resource. */
  readonly group: string
  readonly problem: Problem
}

/** What a resource wants. */
export interface ResourceClaims {
  readonly resource: RuleResource
  readonly owner: string
  readonly mode: Mode
  readonly tenants: readonly TenantId[]
  /** By ruler, those whose rules it is to have. */
  readonly tenantsAt: ReadonlyMap<string, readonly TenantId[]>
  /** By ruler. */
  readonly claims: ReadonlyMap<string, readonly Claim[]>
  /** By ruler, of its groups. */
  readonly problems: ReadonlyMap<string, readonly GroupProblem[]>
  /** Of the resource as a whole. */
  readonly faults: readonly Problem[]
  /** It could not be read which groups it wants, so those that it wrote are not to be deleted. */
  readonly isUnclear: boolean
  /** By target and the text of the group: so that only what changed is validated. */
  readonly validated: ReadonlyMap<Target, ReadonlyMap<string, ValidatedGroup>>
}

export interface ClaimsOptions {
  readonly rulers: readonly RulerTarget[]
  readonly template: NamespaceTemplate
  readonly validate: (group: unknown, target: Target) => Steps<ValidatedGroup>
}

export interface RulerTarget {
  readonly name: string
  readonly target: Target
  /** Whether it is to have this tenant's rules; undefined: all tenants'. */
  readonly serves?: ((tenant: TenantId) => boolean) | undefined
}

/** Groups times tenants of one resource at most: what a resource costs must not depend on who wrote it. */
const MOST_CLAIMS = 100_000

/** `before`: of the same resource; what did not change since then is the same object. Pauses as the validation does. */
export function* claimsOf(
  resource: RuleResource,
  { rulers, template, validate }: ClaimsOptions,
  before?: ResourceClaims,
): Steps<ResourceClaims> {
  const owner = keyOf(resource)
  const mode = modeOf(resource)
  const nothing = { resource, owner, mode, tenants: [], tenantsAt: new Map(), claims: new Map(), problems: new Map() }
  if (mode !== "source") return { ...nothing, faults: [], isUnclear: false, validated: new Map() }
  const groups = resource.spec?.groups ?? []
  const { tenants, problem } = tenantsOfRule(resource)
  const faults = problem === undefined ? [] : [fault("tenants", problem)]
  const count = Array.isArray(groups) ? groups.length * (tenants?.length ?? 0) : 0
  if (!Array.isArray(groups)) faults.push(fault("groups", "spec.groups must be a list"))
  if (count > MOST_CLAIMS)
    faults.push(
      fault("size", `has ${count} groups for tenants, at most ${MOST_CLAIMS} are possible: split the resource`),
    )
  if (!Array.isArray(groups) || tenants === undefined || count > MOST_CLAIMS)
    return { ...nothing, faults, isUnclear: true, validated: new Map() }

  const texts = groups.map((group: unknown) => (isTooDeep(group) ? "too deep" : (JSON.stringify(group) ?? "")))
  const { namespace = "", name, uid = "", creationTimestamp = "" } = resource.metadata
  const since = `${creationTimestamp} ${uid}`
  const at = template({ namespace, name, uid })
  const validated = new Map<Target, ReadonlyMap<string, ValidatedGroup>>()
  for (const target of new Set(rulers.map((ruler) => ruler.target))) {
    const known = before?.validated.get(target)
    const results = new Map<string, ValidatedGroup>()
    for (const [index, text] of texts.entries())
      results.set(text, known?.get(text) ?? results.get(text) ?? (yield* validate(groups[index], target)))
    validated.set(target, results)
  }
  const named = groups.map(nameOf)
  const perTarget = new Map([...validated].map(([target, results]) => [target, read(target, results)]))
  const of = <K extends "claims" | "problems">(part: K) =>
    new Map(rulers.map((ruler) => [ruler.name, perTarget.get(ruler.target)?.[part] ?? []]))
  return {
    ...{ resource, owner, mode, tenants, faults, validated },
    tenantsAt: new Map(
      rulers.map(({ name: ruler, serves = () => true }) => [ruler, tenants.filter((one) => serves(one))]),
    ),
    claims: of("claims"),
    problems: of("problems"),
    isUnclear: named.includes(undefined),
  }

  function read(target: Target, results: ReadonlyMap<string, ValidatedGroup>) {
    const ruler = rulers.find((candidate) => candidate.target === target)?.name ?? ""
    const known = new Map(before?.claims.get(ruler)?.map((claim) => [claim.key, claim]))
    const claims = new Map<string, Claim>()
    const problems: GroupProblem[] = []
    for (const [index, text] of texts.entries()) {
      const result = results.get(text)
      const group = named[index]
      for (const found of result?.problems ?? []) problems.push({ group: group ?? `groups[${index}]`, problem: found })
      if (group === undefined) continue
      const address = { namespace: at, name: group }
      const key = addressKey(address)
      if (claims.has(key)) problems.push({ group, problem: twice(group, index) })
      else
        claims.set(
          key,
          sameClaim(known.get(key), result?.group) ?? { owner, since, address, key, group: result?.group },
        )
    }
    return { claims: [...claims.values()], problems }
  }
}

/** Of a resource whose groups are not known, for `reason`: what it wrote before stays. */
export function unclearClaims(resource: RuleResource, reason: string): ResourceClaims {
  const faults = [fault("groups", `cannot be read: ${reason}`)]
  const nothing = { tenants: [], tenantsAt: new Map(), claims: new Map(), problems: new Map(), validated: new Map() }
  return { resource, owner: keyOf(resource), mode: modeOf(resource), ...nothing, faults, isUnclear: true }
}

const sameClaim = (known: Claim | undefined, group: RuleGroup | undefined): Claim | undefined =>
  known?.group === group ? known : undefined

function modeOf({ metadata }: RuleResource): Mode {
  const direction = metadata.annotations?.[DIRECTION] ?? "kubernetes"
  if (direction !== "kubernetes") return "hands-off"
  return metadata.deletionTimestamp === undefined ? "source" : "deleting"
}

function nameOf(group: unknown): string | undefined {
  const name = typeof group === "object" && group !== null && "name" in group ? group.name : undefined
  return typeof name === "string" && name !== "" ? name : undefined
}

const fault = (at: string, message: string): Problem => ({
  ...{ severity: "error", check: `resource/${at}`, path: at === "size" ? [] : [at], message },
})

const twice = (group: string, index: number): Problem => ({
  ...{ severity: "error", check: "group/duplicate", path: [] },
  message: `groups[${index}] has the name ${quote(group)} of a group before it, which is written instead`,
})
