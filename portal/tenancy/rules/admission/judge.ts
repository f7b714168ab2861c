import { setImmediate as turn } from "node:timers/promises"
import { isDeepStrictEqual } from "node:util"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { createTurns } from "#core/limits/turns.ts"
import { tenantsOfRule } from "../../tenants/tenants-of-rule.ts"
import { type Fields, isFields } from "../fields.ts"
import { DIRECTION } from "../resources/rule-resource.ts"
import { inTurns, type Steps } from "../validation/steps.ts"
import type { ValidatedGroup } from "../validation/validate-group.ts"
import { error, type Finding, findingOf, isError, messageOf, sameNames, warningsOf } from "./findings.ts"
import type { ReviewRequest } from "./review.ts"

export interface Verdict {
  /** `skipped`: nothing to check; `unfinished`: there was no time to check all of it. Both are allowed. */
  readonly outcome: "allowed" | "denied" | "skipped" | "unfinished"
  /** Why it is denied. */
  readonly message?: string
  /** kubectl shows each on a line. */
  readonly warnings: readonly string[]
}

export interface Judging {
  /** As `Cortex 1.21`, for messages. */
  readonly target: () => string
  readonly validate: (group: unknown) => Steps<Pick<ValidatedGroup, "problems">>
}

/** Bytes of all groups as JSON, as prometheus-operator has it for a PrometheusRule. */
const LARGEST = 512 * 1024

/** One group of all reviews at a time, and a slice of it in each turn: renewing the lease must not wait for all of them. */
const inTurn = limitConcurrency(1)
const turns = createTurns({ spend: () => undefined }, () => performance.now())

const SKIPPED: Verdict = { outcome: "skipped", warnings: [] }

/** Whether the API is to store a resource. What is left when `signal` is aborted is not checked. */
export async function judge(request: ReviewRequest, judging: Judging, signal: AbortSignal): Promise<Verdict> {
  const { object, oldObject } = request
  if (!isToBeChecked(request)) return SKIPPED
  const spec = isFields(object.spec) ? object.spec : {}
  // deletion, metadata and status pass, however valid the rest is
  if (oldObject !== undefined && isDeepStrictEqual(spec, oldObject.spec)) return SKIPPED
  const { groups = [] } = spec
  const found: Finding[] = []
  const { problem } = tenantsOfRule({ metadata: { name: "" }, spec })
  if (problem !== undefined) found.push(error(problem))
  if (!Array.isArray(groups)) found.push(error("spec.groups must be a list"))
  const list: readonly unknown[] = Array.isArray(groups) ? groups : []
  const bytes = Buffer.byteLength(JSON.stringify(list))
  if (bytes > LARGEST)
    return deny(judging, [
      error(`spec.groups is ${bytes} bytes as JSON, and ${LARGEST} are accepted: split the resource`),
    ])
  for (const one of sameNames(list)) found.push(one)
  for (const [index, group] of list.entries()) {
    const validated = await inTurn(async () => {
      await turn()
      return inTurns(judging.validate(group), turns, signal)
    })
    if (validated === undefined)
      return isRefused(object, found) ? deny(judging, found) : unfinished(found, list.length - index)
    for (const one of validated.problems) found.push(findingOf(group, index, one))
  }
  return isRefused(object, found) ? deny(judging, found) : allow("allowed", found)
}

/** Mirrors follow what a ruler has accepted. */
function isRefused(object: Fields, found: readonly Finding[]): boolean {
  return found.some(isError) && !isMirror(object)
}

function isToBeChecked({ operation, subresource, object }: ReviewRequest): boolean {
  const isWrite = operation === "CREATE" || operation === "UPDATE"
  return isWrite && subresource === "" && metadataOf(object).deletionTimestamp === undefined
}

function isMirror(object: Fields): boolean {
  const { annotations } = metadataOf(object)
  return isFields(annotations) && annotations[DIRECTION] === "ruler"
}

const metadataOf = ({ metadata }: Fields): Fields => (isFields(metadata) ? metadata : {})

function deny({ target }: Judging, found: readonly Finding[]): Verdict {
  return { outcome: "denied", message: messageOf(found, target()), warnings: warningsOf(found) }
}

function unfinished(found: readonly Finding[], left: number): Verdict {
  const text = `there was no time to check ${left === 1 ? "the last group" : `the last ${left} groups`}; the status of the resource will say what is wrong`
  return allow("unfinished", [{ severity: "unchecked", text }, ...found])
}

function allow(outcome: Verdict["outcome"], found: readonly Finding[]): Verdict {
  return { outcome, warnings: warningsOf(found) }
}
