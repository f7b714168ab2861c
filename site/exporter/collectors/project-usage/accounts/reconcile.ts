import { hash } from "node:crypto"
import type { Labels } from "#core/metrics/exposition.ts"
import type { AddServer, Cloud, Period, Quota, CloudReading } from "../cloud.ts"
import { type Pool, splitPool } from "../simple-vm.ts"
import { type Amounts, type InUse, type ProjectUsage, UsageSums } from "../usage.ts"
import type { Weights } from "../weights.ts"
import { account, freshSince, isOf, type Ledger, type Terms } from "./ledger.ts"
import type { CloudState, MonthRow, MonthState } from "./state.ts"

export interface ProjectAccount {
  readonly labels: Labels
  readonly properties: Labels
  /** The old values as the cloud reports them, the new ones as they are exported. */
  readonly usage: Pick<ProjectUsage, "vcpuHours" | "legacyMemory"> & Amounts
  readonly inUse: InUse
  readonly quota: Quota | undefined
}

export interface Accounts {
  readonly start: Date
  /** When the epoch began, in milliseconds of Unix time. */
  readonly since: number
  readonly projects: readonly ProjectAccount[]
  /** How many projects have a value of which the cloud no longer reports a part. */
  readonly retained: number
  readonly months: readonly { readonly name: string; readonly rows: readonly MonthRow[] }[]
}

export interface ReconcileOptions {
  readonly cloud: Cloud
  readonly pool: Pool | undefined
  readonly weights: Weights
  /** How many months are shown beside the whole, the one under way included. */
  readonly months: number
  readonly signal: AbortSignal
}

/** Milliseconds after the end of a month in which its usage is still read. */
const GRACE = 600_000

/** Reads a cloud's usage and reconciles it with what is remembered of it, which stays as it was if that fails. */
export async function reconcile(
  before: CloudState,
  period: Period,
  options: ReconcileOptions,
): Promise<{ readonly accounts: Accounts; readonly state: CloudState; readonly reading: CloudReading }> {
  const weights = hash("sha256", JSON.stringify(options.weights)).slice(0, 16)
  const terms = { start: period.start.getTime(), weights }
  // a month that begins with the period has the same usage
  const ledgers = [before.total, ...Object.values(before.months).map(({ ledger }) => ledger)]
  const total = await readUsage(
    ledgers.find((ledger) => isOf(ledger, terms)),
    terms,
    period,
    options,
  )
  // the cloud's own present: a month is not over because our clock is ahead
  const present = total.ledger.end
  const months: [string, MonthState, readonly MonthRow[]][] = []
  // one that begins right now is an empty period, which Nova refuses
  for (const { name, start, end } of latestMonths(present - 1, options.months)) {
    const known = Object.hasOwn(before.months, name) ? before.months[name] : undefined
    if (known?.closed !== undefined) {
      months.push([name, known, known.closed])
      continue
    }
    const isWhole = start === terms.start && end >= present
    const ofMonth = { start: new Date(start), end: new Date(Math.min(end, present)) }
    const { projects, ledger } = isWhole ? total : await readUsage(known?.ledger, { start, weights }, ofMonth, options)
    const rows = projects.map(({ labels, usage }): MonthRow => [labels, usage.vcpuSeconds, usage.memoryByteSeconds])
    months.push([name, present >= end + GRACE ? { closed: rows } : { ledger }, rows])
  }
  const { reading, projects, retained, ledger } = total
  const shown = months.map(([name, , rows]) => ({ name, rows }))
  const kept = Object.fromEntries(months.map(([name, state]) => [name, state]))
  return {
    reading,
    accounts: { start: period.start, since: ledger.since, projects, retained, months: shown },
    state: { ...before, end: ledger.end, total: ledger, months: kept },
  }
}

/** The month of a moment and those before it, `count` in all, the oldest first, in UTC. */
function latestMonths(moment: number, count: number) {
  const date = new Date(moment)
  return Array.from({ length: count }, (_, index) => {
    const month = [date.getUTCFullYear(), date.getUTCMonth() - (count - 1 - index)] as const
    const start = Date.UTC(...month)
    return { name: new Date(start).toISOString().slice(0, 7), start, end: Date.UTC(month[0], month[1] + 1) }
  })
}

async function readUsage(
  before: Ledger | undefined,
  terms: Terms,
  period: Period,
  { cloud, pool, weights, signal }: ReconcileOptions,
) {
  const [start, end] = [terms.start / 1000, period.end.getTime() / 1000]
  const newSums = () =>
    new UsageSums(weights, { start, end, freshSince: (key) => freshSince(before, terms, key) / 1000 })
  let sums = newSums()
  const begin = (): AddServer => {
    sums = newSums()
    return sums.add.bind(sums)
  }
  const reading = await cloud.usage(period, begin, signal)
  const projects = splitPool(reading.projects, pool, sums)
  let [countedTo, usedTo] = [0, 0]
  for (const { key } of projects) {
    const usage = sums.of(key)
    countedTo = Math.max(countedTo, usage.countedTo)
    usedTo = Math.max(usedTo, usage.usedTo)
  }
  // a cloud whose clock is behind ours counts to its own present, also where no server lives to show it
  const until = Math.min(end, Math.max(usedTo, countedTo > 0 ? countedTo : (reading.present ?? end)))
  const { ledger, amounts, retained } = account(
    before,
    terms,
    Math.round(until * 1000),
    projects.values().map(({ key }) => [key, sums.of(key)] as const),
  )
  const accounts = projects.map(({ key, id, name, domainId, domainName, properties, quota }, index): ProjectAccount => {
    const { vcpuHours, legacyMemory, inUse } = sums.of(key)
    return {
      // in the order in which the original's client library writes them
      labels: { domain_id: domainId, domain_name: domainName, project_id: id, project_name: name },
      properties,
      quota,
      inUse,
      usage: { vcpuHours, legacyMemory, ...(amounts[index] ?? { vcpuSeconds: 0, memoryByteSeconds: 0 }) },
    }
  })
  return { reading, ledger, projects: accounts, retained }
}
