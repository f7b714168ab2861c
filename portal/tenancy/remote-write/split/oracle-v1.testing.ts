import { isUtf8 } from "node:buffer"
import type { Counts } from "../message/counts.ts"
import type { Routing } from "../routing/routing.ts"

/** How a message of version 1 is split, found in the plainest way: every field an object, every label a text. */

interface Field {
  readonly number: number
  readonly wireType: number
  /** The whole field. */
  readonly raw: Buffer
  /** What stands after a length. */
  readonly content: Buffer
}

/** Throws where the bytes are malformed. */
export function fieldsOf(bytes: Buffer): readonly Field[] {
  let at = 0
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw new Error("cut off")
    at += count
    return bytes.subarray(at - count, at)
  }
  const number = (): bigint => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = BigInt(take(1).readUInt8())
      value += (byte & 127n) << shift
      if (byte < 128n) {
        if (value >= 2n ** 64n) break
        return value
      }
    }
    throw new Error("more than 64 bits")
  }
  const one = (groups: number): Field => {
    const start = at
    const tag = number()
    const field = Number(tag >> 3n)
    const wireType = Number(tag & 7n)
    if (field < 1 || field >= 2 ** 29 || groups > 100) throw new Error("no field")
    let content: Buffer = Buffer.alloc(0)
    if (wireType === 0) number()
    else if (wireType === 1) take(8)
    else if (wireType === 5) take(4)
    else if (wireType === 2) content = take(Number(number()))
    else if (wireType === 3) {
      let inner = one(groups + 1)
      while (inner.wireType !== 4) inner = one(groups + 1)
      if (inner.number !== field) throw new Error("another group's end")
    } else if (wireType !== 4) throw new Error("no type")
    return { number: field, wireType, raw: bytes.subarray(start, at), content }
  }
  const fields: Field[] = []
  while (at < bytes.length) {
    const field = one(0)
    if (field.wireType === 4) throw new Error("an end without a group")
    fields.push(field)
  }
  return fields
}

type Kind = "bytes" | "number" | "double" | "numbers" | "doubles" | Kinds
interface Kinds {
  readonly [field: number]: Kind
}

const LABEL: Kinds = { 1: "bytes", 2: "bytes" }
const SPAN: Kinds = { 1: "number", 2: "number" }
const HISTOGRAM: Kinds = {
  ...{ 1: "number", 2: "double", 3: "double", 4: "number", 5: "double", 6: "number", 7: "double", 8: SPAN },
  ...{ 9: "numbers", 10: "doubles", 11: SPAN, 12: "numbers", 13: "doubles", 14: "number", 15: "number" },
  ...{ 16: "doubles", 17: "number" },
}
const SERIES: Kinds = {
  1: LABEL,
  2: { 1: "double", 2: "number" },
  3: { 1: LABEL, 2: "double", 3: "number" },
  4: HISTOGRAM,
}
const REQUEST: Kinds = { 1: SERIES, 3: { 1: "number", 2: "bytes", 4: "bytes", 5: "bytes" } }

/** Throws where the bytes are no message of these fields. */
function check(bytes: Buffer, kinds: Kinds): void {
  for (const { number, wireType, content } of fieldsOf(bytes)) {
    const kind = kinds[number]
    if (kind === undefined) continue
    const single = kind === "number" || kind === "numbers" ? 0 : kind === "double" || kind === "doubles" ? 1 : 2
    const repeated = kind === "numbers" || kind === "doubles"
    if (wireType !== single && !(repeated && wireType === 2)) throw new Error("another type")
    if (typeof kind === "object") check(content, kind)
    if (kind === "doubles" && content.length % 8 !== 0) throw new Error("cut off")
    // a list of numbers, each as if it were the field 1
    if (kind === "numbers" && wireType === 2) for (let rest = content; rest.length > 0;) rest = afterNumber(rest)
  }
}

function afterNumber(bytes: Buffer): Buffer {
  const length = bytes.findIndex((byte) => byte < 128) + 1
  if (length === 0 || length > 10 || (length === 10 && (bytes[9] ?? 0) > 1)) throw new Error("no number")
  return bytes.subarray(length)
}

export interface Expected {
  readonly received: Counts
  readonly rejected: number
  /** By tenant and group. */
  readonly slices: ReadonlyMap<string, { readonly message: Buffer; readonly counts: Counts; readonly series: number }>
}

export function isMessage(bytes: Buffer): boolean {
  try {
    check(bytes, REQUEST)
    return true
  } catch {
    return false
  }
}

/** Undefined where the whole message is to be refused. Metadata is left out, unless it is to be set aside. */
export function expectedSplit(message: Buffer, routing: Routing): Expected | undefined {
  if (!isMessage(message)) return undefined
  const fields = fieldsOf(message)
  const has = (...numbers: number[]): boolean => fields.some(({ number }) => numbers.includes(number))
  if (has(4, 5) && !has(1, 3)) return undefined
  const slices = new Map<string, { message: Buffer; counts: Counts; series: number }>()
  let received: Counts = { samples: 0, histograms: 0, exemplars: 0 }
  let rejected = fields.filter(({ number, content }) => number === 3 && !isNamed(content)).length
  for (const frame of fields.filter(({ number }) => number === 1)) {
    const parts = fieldsOf(frame.content)
    const count = (number: number): number => parts.filter((part) => part.number === number).length
    const counts = { samples: count(2), histograms: count(4), exemplars: count(3) }
    received = sum(received, counts)
    const labels = parts.filter(({ number }) => number === 1).map(labelOf)
    const route = routeOf(labels, routing)
    if (route === undefined || counts.samples + counts.histograms + counts.exemplars === 0) {
      rejected++
      continue
    }
    for (const { tenant, strip } of route.destinations) {
      const dropped = strip === undefined ? undefined : routing.tenantLabels[strip]
      const kept = parts.filter((part) => part.number !== 1 || labelOf(part).name.toString() !== dropped)
      const body = Buffer.concat(kept.map(({ raw }) => raw))
      const raw =
        kept.length === parts.length ? frame.raw : Buffer.concat([Buffer.from([10, ...shortest(body.length)]), body])
      const key = `${tenant} ${route.group}`
      const slice = slices.get(key) ?? {
        message: Buffer.alloc(0),
        counts: { samples: 0, histograms: 0, exemplars: 0 },
        series: 0,
      }
      slices.set(key, {
        message: Buffer.concat([slice.message, raw]),
        counts: sum(slice.counts, counts),
        series: slice.series + 1,
      })
    }
  }
  return { received, rejected, slices }
}

function isNamed(metadata: Buffer): boolean {
  const name = fieldsOf(metadata).findLast(({ number }) => number === 2)?.content ?? Buffer.alloc(0)
  return name.length > 0 && isUtf8(name)
}

/** The series of a message. */
export const seriesOf = (message: Buffer): Buffer =>
  Buffer.concat(fieldsOf(message).flatMap(({ number, raw }) => (number === 1 ? [raw] : [])))

const sum = (one: Counts, other: Counts): Counts => ({
  samples: one.samples + other.samples,
  histograms: one.histograms + other.histograms,
  exemplars: one.exemplars + other.exemplars,
})

export function labelOf({ content }: Field): { readonly name: Buffer; readonly value: Buffer } {
  const last = (number: number): Buffer =>
    fieldsOf(content).findLast((field) => field.number === number)?.content ?? Buffer.alloc(0)
  return { name: last(1), value: last(2) }
}

/** Undefined for a series that is to be set aside. */
function routeOf(labels: readonly { readonly name: Buffer; readonly value: Buffer }[], routing: Routing) {
  if (labels.some(({ name, value }) => !isUtf8(name) || !isUtf8(value))) return undefined
  const values = new Map(labels.map(({ name, value }) => [name.toString(), value.toString()]))
  if (values.size < labels.length || values.has("")) return undefined
  const valueOf = (name: string): string | undefined => values.get(name) || undefined
  if (valueOf("__name__") === undefined) return undefined
  const route = routing.route(routing.tenantLabels.map(valueOf))
  if ("refused" in route) return undefined
  const group = routing.groupLabels.map(valueOf)
  const isGrouped = group.length > 0 && !group.includes(undefined)
  return { ...route, group: isGrouped ? JSON.stringify(group) : "" }
}

const shortest = (value: number): number[] =>
  value < 128 ? [value] : [(value % 128) + 128, ...shortest(Math.floor(value / 128))]
