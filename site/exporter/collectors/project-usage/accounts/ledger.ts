import type { Amounts, ProjectUsage } from "../usage.ts"

/** What is remembered of a project's usage of one kind. */
export interface LedgerEntry {
  readonly exported: number
  /** By the cloud. */
  readonly reported: number
}

/** Relative; sums of the same hours in another order differ by less. */
const ROUNDING = 1e-9

/**
 * The next value of a usage that must neither fall nor count an hour twice, although the cloud may forget: rows of deleted
 * servers are archived, a resized server has its new size for its whole life, an unshelved one begins anew.
 *
 * `reported` is what the cloud reports now, and `fresh` the part of it since the last update; the rest is what it reports
 * now of the time before. What that lacks compared with then is lost to the cloud, and is added from now on. If it comes
 * back, no more is added.
 */
export function advance(before: LedgerEntry | undefined, reported: number, fresh: number): LedgerEntry {
  if (before === undefined) return { exported: reported, reported }
  const change = before.reported - (reported - fresh)
  const lost = Math.abs(change) <= ROUNDING * before.reported ? 0 : change
  const added = Math.max(0, before.exported - before.reported + lost)
  return { exported: Math.max(before.exported, reported + added), reported }
}

/**
 * vCPU seconds and byte seconds, each exported and reported, and up to when they were counted, in milliseconds of Unix time: a
 * cloud whose clock is behind counts each page of its list to another present. As numbers alone, because there are many
 * on disk.
 */
export type Row = readonly [
  exportedVcpu: number,
  reportedVcpu: number,
  exportedMemory: number,
  reportedMemory: number,
  end?: number | undefined,
]

/** What usage depends on. Another start or other weights begin a new epoch, in which nothing of the old one is retained. */
export interface Terms {
  /** Milliseconds of Unix time. */
  readonly start: number
  /** A digest of the weights. */
  readonly weights: string
}

export interface Ledger extends Terms {
  /** When the epoch began, and up to when usage was counted last, in milliseconds of Unix time. */
  readonly since: number
  readonly end: number
  readonly projects: Readonly<Record<string, Row>>
}

/** From when on a project's usage is fresh, in milliseconds of Unix time; from the start on where an epoch begins. */
export function freshSince(ledger: Ledger | undefined, terms: Terms, key: string): number {
  return isOf(ledger, terms) ? (rowIn(ledger, key)?.[4] ?? ledger.end) : terms.start
}

/**
 * Enters the usage of all projects until `end`; those that are not there any more are forgotten. Returns the amounts in the
 * order of the projects, and how many of them are other than what the cloud reports.
 */
export function account(
  before: Ledger | undefined,
  terms: Terms,
  end: number,
  usages: Iterable<readonly [key: string, usage: Pick<ProjectUsage, keyof Amounts | "fresh" | "countedTo">]>,
): { readonly ledger: Ledger; readonly amounts: readonly Amounts[]; readonly retained: number } {
  const known = isOf(before, terms) ? before : undefined
  // a cloud's clock that went back counts the same moments again
  const until = Math.max(end, known?.end ?? end)
  const projects: Record<string, Row> = Object.create(null) as Record<string, Row>
  const amounts: Amounts[] = []
  let retained = 0
  for (const [key, { vcpuSeconds, memoryByteSeconds, fresh, countedTo }] of usages) {
    const row = known && rowIn(known, key)
    const vcpu = advance(row && { exported: row[0], reported: row[1] }, vcpuSeconds, fresh.vcpuSeconds)
    const memory = advance(row && { exported: row[2], reported: row[3] }, memoryByteSeconds, fresh.memoryByteSeconds)
    const counted = countedTo > 0 ? Math.min(until, Math.round(countedTo * 1000)) : until
    const own = row === undefined ? counted : Math.max(counted, freshSince(known, terms, key))
    projects[key] = [vcpu.exported, vcpu.reported, memory.exported, memory.reported, own]
    amounts.push({ vcpuSeconds: vcpu.exported, memoryByteSeconds: memory.exported })
    if (vcpu.exported !== vcpu.reported || memory.exported !== memory.reported) retained += 1
  }
  return { ledger: { ...terms, since: known?.since ?? end, end: until, projects }, amounts, retained }
}

/** Whether it is of the same epoch. */
export function isOf(ledger: Ledger | undefined, { start, weights }: Terms): ledger is Ledger {
  return ledger?.start === start && ledger.weights === weights
}

function rowIn({ projects }: Ledger, key: string): Row | undefined {
  return Object.hasOwn(projects, key) ? projects[key] : undefined
}
