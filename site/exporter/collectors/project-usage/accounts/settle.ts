import { hash } from "node:crypto"
import { setImmediate as turn } from "node:timers/promises"
import type { Labels } from "#core/metrics/exposition.ts"
import type { Cloud, Period, Project, Quota, Reading } from "../cloud.ts"
import { type Pool, splitPool } from "../simple-vm.ts"
import { type Amounts, type Usage, usageOf } from "../usage.ts"
import type { Weights } from "../weights.ts"
import { account, freshSince, type Ledger, type Terms } from "./ledger.ts"
import { latestMonths, type Window } from "./months.ts"
import type { CloudState, MonthRow, MonthState } from "./state.ts"

/** What a project has at the end of the period. */
export interface InUse {
  readonly servers: number
  readonly vcpus: number
  readonly memoryMb: number
  readonly diskGb: number
}

export interface ProjectAccount {
  readonly labels: Labels
  readonly properties: Labels
  /** The old values as the cloud reports them, the new ones as they are exported. */
  readonly usage: Pick<Usage, "vcpuHours" | "legacyMemory"> & Amounts
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

export interface SettleOptions {
  readonly cloud: Cloud
  readonly pool: Pool | undefined
  readonly weights: Weights
  /** How many months are shown beside the whole, the one under way included. */
  readonly months: number
  readonly signal: AbortSignal
}

export interface Settled {
  readonly accounts: Accounts
  readonly state: CloudState
  readonly reading: Reading
}

/** Milliseconds after the end of a month in which late news of it are still taken. */
const GRACE = 600_000
/** Projects that are added up between two turns of the event loop, so that scrapes are answered. */
const SLICE = 250

/** Reads a cloud's usage and enters it into what is remembered of it. All or nothing: an error leaves the state as it was. */
export async function settle(before: CloudState, period: Period, options: SettleOptions): Promise<Settled> {
  const weights = hash("sha256", JSON.stringify(options.weights)).slice(0, 16)
  const reading = await options.cloud.usage(period, options.signal)
  const total = await enter(before.total, { start: period.start.getTime(), weights }, { period, reading }, options)
  // the cloud's own present: a month is not over because our clock is ahead
  const present = total.ledger.end
  const months: [string, MonthState, readonly MonthRow[]][] = []
  // one that begins right now is an empty period, which Nova refuses
  for (const window of latestMonths(present - 1, options.months)) {
    const known = Object.hasOwn(before.months, window.name) ? before.months[window.name] : undefined
    if (known?.closed === undefined) {
      const month = await monthTo(present, window, options, { period, reading })
      const { projects, ledger } = await enter(known?.ledger, { start: window.start, weights }, month, options)
      const rows = projects.map(({ labels, usage }) => rowOf(labels, usage))
      const isOver = present >= window.end + GRACE
      months.push([window.name, isOver ? { closed: rows } : { ledger }, rows])
    } else months.push([window.name, known, known.closed])
  }
  const { projects, retained, ledger } = total
  return {
    reading,
    accounts: {
      start: period.start,
      since: ledger.since,
      projects,
      retained,
      months: months.map(([name, , rows]) => ({ name, rows })),
    },
    state: {
      ...before,
      end: ledger.end,
      total: ledger,
      months: Object.fromEntries(months.map(([name, state]) => [name, state])),
    },
  }
}

interface Read {
  readonly period: Period
  readonly reading: Reading
}

/** The usage of a month until now or its end; that of the whole period where this is the same. */
async function monthTo(present: number, window: Window, { cloud, signal }: SettleOptions, whole: Read): Promise<Read> {
  const period = { start: new Date(window.start), end: new Date(Math.min(window.end, present)) }
  const isWhole = period.start.getTime() === whole.period.start.getTime() && window.end >= present
  return isWhole ? whole : { period, reading: await cloud.usage(period, signal) }
}

interface Entered extends Pick<Accounts, "projects" | "retained"> {
  readonly ledger: Ledger
}

async function enter(
  before: Ledger | undefined,
  terms: Terms,
  { period, reading }: Read,
  { pool, weights }: SettleOptions,
): Promise<Entered> {
  const start = terms.start / 1000
  const end = period.end.getTime() / 1000
  const summed: { key: string; project: Project; usage: Usage; inUse: InUse }[] = []
  let [countedTo, usedTo] = [0, 0]
  for (const project of splitPool(reading.projects, pool)) {
    const { key } = project
    const usage = usageOf(project.servers, weights, { start, fresh: freshSince(before, terms, key) / 1000 })
    summed.push({ key, project, usage, inUse: inUseAt(end, project.servers) })
    countedTo = Math.max(countedTo, usage.countedTo)
    usedTo = Math.max(usedTo, usage.usedTo)
    if (summed.length % SLICE === 0) await turn()
  }
  // a cloud whose clock is behind ours counts to its own present, also where no server lives to tell it
  const until = Math.min(end, Math.max(usedTo, countedTo > 0 ? countedTo : (reading.present ?? end)))
  const { ledger, amounts, retained } = account(
    before,
    terms,
    Math.round(until * 1000),
    summed.map(({ key, usage }) => [key, usage]),
  )
  const projects = summed.map(({ project, usage: { vcpuHours, legacyMemory }, inUse }, index) => ({
    inUse,
    labels: labelsOf(project),
    properties: project.properties,
    // a pool's is not that of each of its parts
    quota: project.id === pool?.projectId ? undefined : project.quota,
    usage: { vcpuHours, legacyMemory, ...(amounts[index] ?? NOTHING) },
  }))
  return { ledger, projects, retained }
}

const NOTHING: Amounts = { vcpuSeconds: 0, memoryByteSeconds: 0 }

function inUseAt(end: number, all: Project["servers"]): InUse {
  let [servers, vcpus, memoryMb, diskGb] = [0, 0, 0, 0]
  for (const server of all) {
    if (server.startedAt > end || server.endedAt <= end) continue
    servers += 1
    vcpus += server.vcpus
    memoryMb += server.memoryMb
    diskGb += server.diskGb
  }
  return { servers, vcpus, memoryMb, diskGb }
}

/** In the order in which the original's client library writes them. */
function labelsOf({ id, name, domainName, domainId }: Project): Labels {
  return { domain_id: domainId, domain_name: domainName, project_id: id, project_name: name }
}

const rowOf = (labels: Labels, { vcpuSeconds, memoryByteSeconds }: Amounts): MonthRow => [
  labels,
  vcpuSeconds,
  memoryByteSeconds,
]
