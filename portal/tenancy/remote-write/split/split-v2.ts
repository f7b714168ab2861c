import { IgnoredLabels } from "./ignored.ts"
import { requireVersion } from "../message/announced.ts"
import type { Routing } from "../routing/routing.ts"
import { joinExemplars, type TenantPortions } from "./exemplars-v2.ts"
import { readLayout } from "./layout-v2.ts"
import { MOST_LABELS } from "./labels-v1.ts"
import { LACKS } from "./lookup-v2.ts"
import { Portion } from "./portion-v2.ts"
import { type RejectionKind, Rejections } from "./rejections.ts"
import { labelText, seriesText } from "./series-text.ts"
import { SeriesReader } from "./series-v2.ts"
import { SliceV2 } from "./slice-v2.ts"
import type { Slice, Split } from "./slice.ts"
import type { Spans } from "./spans.ts"
import { METRIC_NAME, Symbols } from "./symbols.ts"
import { TargetsV2 } from "./targets-v2.ts"
import { WriterV2 } from "./write-v2.ts"

/**
 * Splits a message of version 2 by tenant, without decoding it. Series that no upstream should get are set aside. Throws
 * a refusal with status 400 where the message is malformed or of version 1.
 */
export function splitV2(message: Buffer, routing: Routing): Split {
  requireVersion(message, 2)
  const { symbols, series } = readLayout(message)
  const table = new Symbols(message, symbols, [...routing.tenantLabels, ...routing.groupLabels])
  return new Splitting(table, series, routing).split()
}

class Splitting {
  readonly #symbols: Symbols
  readonly #spans: Spans
  readonly #plain: Uint8Array
  readonly #series: SeriesReader
  readonly #targets: TargetsV2
  readonly #rejections = new Rejections()
  readonly #received = { samples: 0, histograms: 0, exemplars: 0 }
  readonly #tenantNames: readonly number[]
  /** By the number of a name: its places among the labels that decide, those of the tenant and then those of the group. */
  readonly #places: number[][] = []
  /** Of the series at hand: references of the values of the labels that decide. */
  readonly #values: Int32Array
  /** Of the series at hand: the label that stands twice, if one does, and whether it is one that decides. */
  #byDefault = 0
  readonly #ignored = new IgnoredLabels()
  #labels = 0
  #twice = NONE
  #undecided = false
  #named = false
  #unnamed = false
  /** Of the series at hand: references of its names, and how many references its labels have. */
  readonly #names = new Int32Array(MOST_LABELS)
  #namesLength = NONE
  /** Where among its references labels stand that are asked for. */
  readonly #deciding: number[] = []
  /** By the number of a name: the last series that had a label of that name, counted from 1. */
  #seen: Int32Array = new Int32Array(64)
  /** By the number of the slice. */
  readonly #portions: TenantPortions[] = []

  constructor(symbols: Symbols, series: Spans, routing: Routing) {
    this.#symbols = symbols
    this.#spans = series
    this.#plain = new Uint8Array(series.length)
    this.#series = new SeriesReader(symbols)
    this.#targets = new TargetsV2(symbols, routing)
    const deciding = [...routing.tenantLabels, ...routing.groupLabels]
    this.#values = new Int32Array(deciding.length)
    deciding.forEach((label, place) => (this.#places[symbols.nameNumber(label)] ??= []).push(place))
    this.#tenantNames = routing.tenantLabels.map((label) => symbols.nameNumber(label))
  }

  split(): Split {
    for (let number = 0; number < this.#spans.length; number++) this.#add(number)
    const rejections = this.#rejections
    return {
      received: this.#received,
      slices: this.#slices(),
      rejected: rejections.lines(),
      rejectedSeries: rejections.series,
      rejectedKinds: rejections.kinds,
      rejectedCounts: rejections.counts,
      seriesByDefault: this.#byDefault,
      ignored: this.#ignored,
      labels: Math.floor(this.#labels),
      // it stands in the series
      unclaimedMetadata: 0,
    }
  }

  #add(number: number): void {
    const [start, end] = [this.#spans.starts[number] as number, this.#spans.ends[number] as number]
    const series = this.#series
    series.read(start, end)
    this.#received.samples += series.samples
    this.#received.histograms += series.histograms
    this.#received.exemplars += series.exemplars
    this.#labels += series.labels.length / 2
    if (series.problem !== undefined) return this.#reject("", series.problem, "malformed")
    this.#readLabels(number + 1)
    this.#plain[number] = series.plain ? 1 : 0
    const unsound = this.#unsound()
    // one of a label that decides twice is no tenant's
    if (unsound !== undefined && this.#undecided) return this.#reject("", unsound, "malformed")
    const target = this.#targets.find(this.#values)
    const reason = unsound ?? target.refused ?? this.#missing()
    if (reason !== undefined)
      return this.#reject(target.tenant, reason, unsound === undefined ? target.kind : "malformed")
    if (target.byDefault) this.#byDefault++
    if (target.ignored !== undefined) this.#ignored.add(target.ignored)
    const withData = series.samples + series.histograms > 0
    for (let index = 0; index < target.slices.length; index++) {
      const portions = (this.#portions[target.slices[index] as number] ??= newPortions())
      const portion = withData ? portions.data : portions.exemplars
      portion.add(number, target.strips[index] as number, end - start, series)
    }
  }

  #reject(tenant: string, reason: string, kind: RejectionKind): void {
    const example = (): string => seriesText(this.#symbols.pairs(this.#series.labels))
    this.#rejections.add(tenant, reason, this.#series, example, kind)
  }

  /** `mark` is the series' own. */
  #readLabels(mark: number): void {
    const symbols = this.#symbols
    const { values } = this.#series.labels
    if (!this.#hasNamesOfLast()) this.#readNames(mark)
    this.#named = false
    this.#values.fill(LACKS)
    for (const index of this.#deciding) {
      const name = symbols.nameOf(values[index] as number)
      const value = values[index + 1] as number
      // one that is empty is none, as everywhere in Prometheus
      const empty = symbols.isEmpty(value)
      if (name === METRIC_NAME) this.#named = !empty
      for (const place of this.#places[name] ?? NOWHERE) this.#values[place] = empty ? LACKS : value
    }
  }

  /** Most series have the labels of the one before, with other values. */
  #hasNamesOfLast(): boolean {
    const { values, length } = this.#series.labels
    if (length !== this.#namesLength) return false
    const names = this.#names
    for (let index = 0; index < length; index += 2) if (values[index] !== names[index >> 1]) return false
    return true
  }

  #readNames(mark: number): void {
    const symbols = this.#symbols
    const { values, length } = this.#series.labels
    let seen = this.#seen
    this.#twice = NONE
    this.#undecided = this.#unnamed = false
    this.#deciding.length = 0
    this.#namesLength = length
    for (let index = 0; index < length; index += 2) {
      const reference = values[index] as number
      this.#names[index >> 1] = reference
      const name = symbols.nameOf(reference)
      if (name >= seen.length) seen = this.#growSeen(name)
      if (seen[name] === mark) {
        if (this.#twice === NONE) this.#twice = reference
        this.#undecided ||= name <= symbols.known
      }
      seen[name] = mark
      if (symbols.isEmpty(reference)) this.#unnamed = true
      if (name <= symbols.known) this.#deciding.push(index)
    }
  }

  #growSeen(name: number): Int32Array {
    const seen = this.#seen
    this.#seen = new Int32Array(2 * name)
    this.#seen.set(seen)
    return this.#seen
  }

  #unsound(): string | undefined {
    if (this.#unnamed) return "a label has no name"
    return this.#twice === NONE ? undefined : `it has the label ${labelText(this.#symbols.shown(this.#twice))} twice`
  }

  /** What a series must have and the one at hand has not; undefined where it has all. */
  #missing(): string | undefined {
    const { labels, samples, histograms, exemplars } = this.#series
    if (labels.length === 0) return "it has no labels"
    if (!this.#named) return "it has no metric name"
    return samples + histograms + exemplars === 0 ? "it has no samples, histograms or exemplars" : undefined
  }

  #slices(): readonly Slice[] {
    const [symbols, series, reader, tenantNames] = [this.#symbols, this.#spans, this.#series, this.#tenantNames]
    const portions = this.#targets.numbers.slices.map((_, number) => this.#portions[number] ?? newPortions())
    joinExemplars(portions, { symbols, series, reader, tenantNames })
    const writer = new WriterV2(symbols, series, this.#plain, tenantNames)
    return this.#targets.numbers.slices.flatMap(({ tenant, group }, number) => {
      const { data, exemplars } = portions[number] ?? newPortions()
      return [
        new SliceV2(tenant, group, data, writer),
        // some receivers refuse all that comes with them
        new SliceV2(tenant, `${group} exemplars`, exemplars, writer),
      ].filter((slice) => slice.series > 0)
    })
  }
}

const NONE = -1
/** One for all: a list for each series would be garbage. */
const NOWHERE: readonly number[] = []

const newPortions = (): TenantPortions => ({ data: new Portion(), exemplars: new Portion() })
