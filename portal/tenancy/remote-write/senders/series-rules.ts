import { matchingOf, type SeriesMatching } from "#core/promql/matching.ts"
import type { Selector } from "#core/promql/selector.ts"
import { exportedNames } from "../../../sites/exported.ts"

/** What holds for the series of a sender, whatever it writes. */
export interface SeriesRules {
  /** Of whom they are, for messages. */
  readonly sender: string
  /** Set on all of them. What the sender wrote under such a name is renamed, unless it is the same. */
  readonly labels: Readonly<Record<string, string>>
  /** How often `exported_` is put before the labels with these names; see exportedNames. */
  readonly exported: ReadonlyMap<string, number>
  /** Only what one of them selects, as the sender wrote it, is accepted; undefined: everything. */
  readonly match: readonly Selector[] | undefined
  readonly matching: SeriesMatching | undefined
}

interface GivenRules {
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly match?: readonly Selector[] | undefined
}

/** `names`: of labels that are set for any sender. Undefined where nothing is given. */
export function seriesRules(
  sender: string,
  { labels, match }: GivenRules,
  names: Iterable<string>,
): SeriesRules | undefined {
  if (labels === undefined && match === undefined) return undefined
  // a sender for which no labels are set is trusted with those of others, such as a Prometheus that has federated them
  const exported = labels === undefined ? new Map<string, number>() : exportedNames(names)
  return { sender, labels: labels ?? {}, exported, match, matching: match && matchingOf(match) }
}
