import protobuf from "protobufjs"
import type { Routing } from "../routing/routing.ts"

// Decodes all, splits, and says what each slice must be. It shares no code with what splits in place.

/** A field as it stands, and its content where that is bytes. */
interface Field {
  readonly number: number
  readonly raw: string
  readonly bytes: Uint8Array
}

/** With numbers of up to ten bytes everywhere, as Go reads them; the library takes five for tags and lengths. */
function fieldsOf(message: Uint8Array): readonly Field[] {
  const reader = protobuf.Reader.create(message)
  const fields: Field[] = []
  while (reader.pos < reader.len) {
    const start = reader.pos
    const tag = Number(reader.uint64())
    const content = reader.pos
    const bytes =
      tag % 8 === 2 ? message.slice(skipBytes(reader), reader.pos) : skipOther(reader, tag % 8, message, content)
    const raw = Buffer.from(message.slice(start, reader.pos)).toString("hex")
    fields.push({ number: Math.floor(tag / 8), raw, bytes })
  }
  return fields
}

/** Returns where they begin. */
function skipBytes(reader: protobuf.Reader): number {
  const length = Number(reader.uint64())
  const start = reader.pos
  if (length > 0) reader.skip(length)
  return start
}

function skipOther(reader: protobuf.Reader, wireType: number, message: Uint8Array, start: number): Uint8Array {
  if (wireType !== 3) reader.skipType(wireType)
  for (let open = wireType === 3 ? 1 : 0; open > 0;) {
    const inner = Number(reader.uint64()) % 8
    if (inner === 3) open++
    else if (inner === 4) open--
    else if (inner === 2) skipBytes(reader)
    else reader.skipType(inner)
  }
  return message.slice(start, reader.pos)
}

function numbersOf(fields: readonly Field[], number: number): readonly number[] {
  return fields
    .filter((field) => field.number === number)
    .flatMap(({ bytes }) => {
      const reader = protobuf.Reader.create(bytes)
      const numbers: number[] = []
      while (reader.pos < reader.len) numbers.push(reader.uint32())
      return numbers
    })
}

type Pair = readonly [name: string, value: string]

interface OneExemplar {
  readonly labels: readonly Pair[]
  readonly others: readonly string[]
}

/** A series with texts instead of references; what has none as it stands. */
export interface OneSeries {
  readonly labels: readonly Pair[]
  readonly exemplars: readonly OneExemplar[]
  readonly metadata: {
    readonly type: number
    readonly help: string
    readonly unit: string
    readonly others: readonly string[]
  }
  /** Samples, histograms and what is unknown. */
  readonly others: readonly string[]
}

interface Counts {
  samples: number
  histograms: number
  exemplars: number
}

interface Decoded {
  readonly counts: Counts
  /** Undefined where a reference is not sound. */
  readonly series: OneSeries | undefined
}

export function decode(message: Uint8Array): {
  readonly symbols: readonly string[]
  readonly series: readonly Decoded[]
} {
  const fields = fieldsOf(message)
  const symbols = fields.filter(({ number }) => number === 4).map(({ bytes }) => Buffer.from(bytes).toString())
  const series = fields
    .filter(({ number }) => number === 5)
    .map(({ bytes }) => {
      const own = fieldsOf(bytes)
      const count = (wanted: number) => own.filter(({ number }) => number === wanted).length
      const counts = { samples: count(2), histograms: count(3), exemplars: count(4) }
      return { counts, series: decodeSeries(own, symbols) }
    })
  return { symbols, series }
}

function decodeSeries(fields: readonly Field[], symbols: readonly string[]): OneSeries | undefined {
  const labels = pairsOf(numbersOf(fields, 1), symbols)
  const exemplars = fields
    .filter(({ number }) => number === 4)
    .map(({ bytes }) => {
      const own = fieldsOf(bytes)
      const others = own.filter(({ number }) => number !== 1).map(({ raw }) => raw)
      return { labels: pairsOf(numbersOf(own, 1), symbols), others }
    })
  const about = fields.filter(({ number }) => number === 5).flatMap(({ bytes }) => fieldsOf(bytes))
  const last = (number: number) => numbersOf(about, number).at(-1) ?? 0
  const [help, unit] = [last(3), last(4)].map((reference) => (reference === 0 ? "" : symbols[reference]))
  // every reference must be sound, also of a piece of metadata that another one replaces
  const all = [...numbersOf(about, 3), ...numbersOf(about, 4)]
  if (labels === undefined || help === undefined || unit === undefined) return undefined
  if (all.some((reference) => reference !== 0 && symbols[reference] === undefined)) return undefined
  const sound = exemplars.flatMap(({ labels: own, others }) => (own === undefined ? [] : [{ labels: own, others }]))
  if (sound.length < exemplars.length) return undefined
  const unknown = about.filter(({ number }) => number !== 1 && number !== 3 && number !== 4).map(({ raw }) => raw)
  return {
    ...{ labels, exemplars: sound, metadata: { type: last(1), help, unit, others: unknown } },
    others: fields.filter(({ number }) => ![1, 4, 5].includes(number)).map(({ raw }) => raw),
  }
}

function pairsOf(references: readonly number[], symbols: readonly string[]): readonly Pair[] | undefined {
  const texts = references.flatMap((reference) => symbols[reference] ?? [])
  if (texts.length < references.length || texts.length % 2 !== 0) return undefined
  return texts.flatMap((text, index) => (index % 2 === 0 ? [[text, texts[index + 1] ?? ""] as const] : []))
}

export interface ExpectedSlice {
  readonly counts: Counts
  readonly series: readonly OneSeries[]
}

export interface Expected {
  readonly received: Counts
  readonly rejectedSeries: number
  readonly rejectedCounts: Counts
  /** By tenant, group, and whether it has exemplars only. */
  readonly slices: ReadonlyMap<string, ExpectedSlice>
}

interface Growing {
  readonly counts: Counts
  readonly series: OneSeries[]
}

export function expectedSplit(message: Uint8Array, routing: Routing): Expected {
  const zero = (): Counts => ({ samples: 0, histograms: 0, exemplars: 0 })
  const [received, rejectedCounts] = [zero(), zero()]
  const slices = new Map<string, Growing>()
  const alone: { readonly key: string; readonly series: OneSeries; readonly counts: Counts }[] = []
  let rejectedSeries = 0
  for (const { counts, series } of decode(message).series) {
    addTo(received, counts)
    const destinations = series === undefined ? [] : destinationsOf(series, counts, routing)
    if (series === undefined || destinations.length === 0) {
      rejectedSeries++
      addTo(rejectedCounts, counts)
      continue
    }
    const group = groupOf(series, routing)
    for (const { tenant, strip } of destinations) {
      const key = `${tenant}|${group}|`
      const left = strip === undefined ? undefined : routing.tenantLabels[strip]
      const stripped = { ...series, labels: series.labels.filter(([name]) => name !== left) }
      if (counts.samples + counts.histograms === 0) alone.push({ key, series: stripped, counts })
      else addSeries(slices, key, stripped, counts)
    }
  }
  for (const { key, series, counts } of alone) {
    const slice = slices.get(key)
    const same = slice?.series.findIndex((other) => labelKey(other) === labelKey(series)) ?? -1
    const partner = slice?.series[same]
    if (slice === undefined || partner === undefined || series.others.length > 0) {
      addSeries(slices, `${key} exemplars`, series, counts)
      continue
    }
    addTo(slice.counts, counts)
    const { type, help, unit, others } = partner.metadata
    const none = type === 0 && help === "" && unit === "" && others.length === 0
    const metadata = none ? series.metadata : partner.metadata
    slice.series[same] = { ...partner, exemplars: [...partner.exemplars, ...series.exemplars], metadata }
  }
  return { received, rejectedSeries, rejectedCounts, slices }
}

function addTo(sum: Counts, counts: Counts): void {
  sum.samples += counts.samples
  sum.histograms += counts.histograms
  sum.exemplars += counts.exemplars
}

function addSeries(slices: Map<string, Growing>, key: string, series: OneSeries, counts: Counts): void {
  const slice = slices.get(key) ?? { counts: { samples: 0, histograms: 0, exemplars: 0 }, series: [] }
  slices.set(key, slice)
  slice.series.push(series)
  addTo(slice.counts, counts)
}

const valueOf = ({ labels }: OneSeries, label: string): string | undefined =>
  labels.find(([name]) => name === label)?.[1] || undefined

function destinationsOf(series: OneSeries, { samples, histograms, exemplars }: Counts, routing: Routing) {
  const names = series.labels.map(([name]) => name)
  if (new Set(names).size < names.length || valueOf(series, "__name__") === undefined) return []
  if (names.includes("") || samples + histograms + exemplars === 0) return []
  const route = routing.route(routing.tenantLabels.map((label) => valueOf(series, label)))
  return "refused" in route ? [] : route.destinations
}

function groupOf(series: OneSeries, { groupLabels }: Routing): string {
  const values = groupLabels.map((label) => valueOf(series, label))
  return values.length === 0 || values.includes(undefined) ? "" : JSON.stringify(values)
}

const labelKey = ({ labels }: OneSeries): string =>
  JSON.stringify(
    labels
      .filter(([, value]) => value !== "")
      .map((pair) => JSON.stringify(pair))
      .toSorted(),
  )
