import type { Expression, VectorSelector } from "#core/promql/expressions/expression.ts"
import { quote } from "../../tenants/quote.ts"
import { parseRuleDuration } from "../model/duration.ts"
import type { RuleGroup } from "../model/group.ts"
import { allWithin } from "./walk.ts"

interface Recorded {
  readonly group: RuleGroup
  /** Of the rule in its group. */
  readonly index: number
}

/** Which rules record each metric. */
export function recordsOf(groups: readonly RuleGroup[]): ReadonlyMap<string, readonly Recorded[]> {
  const all = groups.flatMap((group) => group.rules.map(({ record }, index) => ({ group, index, record })))
  return Map.groupBy(
    all.filter(({ record }) => record !== undefined),
    ({ record }) => record ?? "",
  )
}

/** What a rule reads that is recorded after it, so that its result is behind, or so seldom that it is not always there. */
export function lateRecords(
  root: Expression,
  { group, index }: Recorded,
  records: ReadonlyMap<string, readonly Recorded[]>,
): readonly { readonly span: Expression; readonly message: string }[] {
  return allWithin(root).flatMap((span) => {
    // over a range, one sample more or less says little
    if (span.kind !== "selector" || span.range !== undefined || span.offset !== undefined) return []
    const name = nameOf(span)
    const recorded = name === undefined ? undefined : records.get(name)
    if (name === undefined || recorded === undefined) return []
    if (recorded.every((one) => one.group === group && one.index > index)) {
      return [
        {
          span,
          message: `${quote(name)} is recorded later in this group, and so is one evaluation behind: move this rule below`,
        },
      ]
    }
    const [sparse] = recorded.every((one) => isSparse(one.group)) ? recorded : []
    if (sparse === undefined) return []
    const where = `group ${quote(sparse.group.name)} records ${quote(name)} every ${sparse.group.interval}`
    return [
      { span, message: `${where}, and series end after 5m: read it by last_over_time(), or record it more often` },
    ]
  })
}

/** What a rule reads of metrics that are recorded no more. */
export function goneRecords(
  root: Expression,
  gone: ReadonlySet<string>,
): readonly { readonly span: Expression; readonly message: string }[] {
  return allWithin(root).flatMap((span) => {
    const name = span.kind === "selector" ? nameOf(span) : undefined
    if (name === undefined || !gone.has(name)) return []
    return [{ span, message: `${quote(name)} is recorded no more, and read here: keep it, or change this rule` }]
  })
}

function nameOf({ matchers }: VectorSelector): string | undefined {
  return matchers.find(({ label, op }) => label === "__name__" && op === "=")?.value
}

/** Prometheus' --query.lookback-delta unless set. */
const LOOKBACK = 5 * 60_000

function isSparse({ interval = "0" }: RuleGroup): boolean {
  const every = parseRuleDuration(interval)
  return typeof every === "number" && every > LOOKBACK
}
