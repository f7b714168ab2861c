import { z } from "zod"
import type { Ledger } from "./ledger.ts"

const number = z.number()
/** Files of the first versions have no end here. */
const row = z.tuple([number, number, number, number, number.optional()])
const ledger = z.object({
  start: number,
  weights: z.string(),
  since: number,
  end: number,
  projects: z.record(z.string(), row),
})
const labels = z.record(z.string(), z.string())
/** A month is open or closed; of a closed one the values stay as they are. */
const month = z.object({ ledger: ledger.optional(), closed: z.array(z.tuple([labels, number, number])).optional() })
const cloud = z.object({
  end: number,
  total: ledger.optional(),
  months: z.record(z.string(), month),
  tags: z.record(z.string(), z.tuple([z.string(), number])),
})

const file = z.object({ version: z.literal([1, 2]), clouds: z.record(z.string(), cloud) })

/** What is kept on disk, by cloud. Throws an error if the text is something else. */
export function readState(text: string, pool: string | undefined): Readonly<Record<string, CloudState>> {
  const { version, clouds } = file.parse(JSON.parse(text))
  if (version === 2) return clouds
  return mapValues(clouds, (state, name) => (name === "dummy" ? state : withoutDomains(state, pool)))
}

/** In version 1 the id and the name of its domain stood before a project's id, and a new name ended what was retained. */
function withoutDomains({ total, months, ...state }: CloudState, pool: string | undefined): CloudState {
  const keyOf = (key: string): string => {
    const parts = key.split("/")
    return parts.slice(pool === undefined ? -1 : parts.indexOf(pool, 2)).join("/")
  }
  const renamed = (old: Ledger): Ledger => ({
    ...old,
    projects: Object.fromEntries(Object.entries(old.projects).map(([key, values]) => [keyOf(key), values])),
  })
  return {
    ...state,
    total: total && renamed(total),
    months: mapValues(months, (one) => (one.ledger === undefined ? one : { ledger: renamed(one.ledger) })),
  }
}

function mapValues<T, R>(record: Readonly<Record<string, T>>, map: (value: T, key: string) => R): Record<string, R> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}

/** Labels, vCPU seconds, byte seconds. */
export type MonthRow = readonly [
  labels: Readonly<Record<string, string>>,
  vcpuSeconds: number,
  memoryByteSeconds: number,
]

export interface MonthState {
  readonly ledger?: Ledger | undefined
  readonly closed?: readonly MonthRow[] | undefined
}

/** What is remembered of one cloud from update to update. Replaced, never changed. */
export interface CloudState {
  /** Up to when its usage was counted last, in milliseconds of Unix time. */
  readonly end: number
  readonly total?: Ledger | undefined
  /** By names such as `2026-11`. */
  readonly months: Readonly<Record<string, MonthState>>
  /** The tag of each server of the pool, and when it was last seen, in milliseconds of Unix time. */
  readonly tags: Readonly<Record<string, readonly [tag: string, seen: number]>>
}

export const EMPTY: CloudState = { end: 0, months: {}, tags: {} }
