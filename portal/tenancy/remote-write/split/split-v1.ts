import { IgnoredLabels } from "./ignored.ts"
import { requireVersion } from "../message/announced.ts"
import { MESSAGES } from "../message/media-type.ts"
import { LENGTH, WireReader } from "../../wire/wire.ts"
import type { Routing } from "../routing/routing.ts"
import { MOST_LABELS_IN_ALL, MOST_SERIES } from "./bounds.ts"
import { familiesOf } from "./families.ts"
import { isUtf8Between, type LabelPositions, MOST_LABELS } from "./labels-v1.ts"
import { type MetadataContext, MetadataV1 } from "./metadata-v1.ts"
import { type RejectionKind, Rejections } from "./rejections.ts"
import { labelText, seriesText } from "./series-text.ts"
import { SeriesReader } from "./series-v1.ts"
import type { Split } from "./slice.ts"
import { SlicesV1 } from "./slices-v1.ts"
import { type Target, Targets } from "./targets-v1.ts"

const SERIES = 1
const METADATA = 3

/** Labels that are looked for in each series: the name, and from here on those that decide where it goes. */
const NAME = "__name__"
const DECIDING = 1

export interface SplitContext {
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: number
  /** What all series of the sender have, so that metadata, which has no labels, goes where they go. */
  readonly labels?: Readonly<Record<string, string>> | undefined
}

/**
 * Splits a message of version 1 by tenant, without decoding it. Series that no upstream should get are set aside. Throws
 * a refusal with status 400 where the message is malformed or of version 2.
 */
export function splitV1(message: Buffer, routing: Routing, given: SplitContext = {}): Split {
  requireVersion(message, 1)
  const context = { now: performance.now(), ...given }
  const listens = familiesOf(routing, context.now).listens(context.now)
  return splitAligned(aligned(message), routing, context, listens)
}

type Context = Required<Pick<SplitContext, "now">> & SplitContext

function splitAligned(message: Buffer, routing: Routing, context: Context, listens: boolean): Split {
  const splitting = new Splitting(message, routing, context, listens)
  splitting.read()
  // metadata of the series that came with it: their names are needed after all
  return splitting.isMixed && !listens ? splitAligned(message, routing, context, true) : splitting.finish()
}

class Splitting {
  readonly #message: Buffer
  readonly #series: SeriesReader
  readonly #targets: Targets
  readonly #slices: SlicesV1
  readonly #rejections = new Rejections()
  readonly #received = { samples: 0, histograms: 0, exemplars: 0 }

  readonly #metadata: MetadataV1
  readonly #context: MetadataContext
  readonly #listens: boolean
  #count = 0
  #byDefault = 0
  readonly #ignored = new IgnoredLabels()
  #labels = 0

  /** `listens`: whether the names of series are noted, for metadata. */
  constructor(message: Buffer, routing: Routing, { now, labels }: Context, listens: boolean) {
    this.#message = message
    this.#listens = listens
    this.#metadata = new MetadataV1(message)
    const values = routing.tenantLabels.map((name) => labels?.[name] || undefined)
    this.#context = { families: familiesOf(routing, now), routing, values, now }
    this.#series = new SeriesReader(message, [NAME, ...routing.tenantLabels, ...routing.groupLabels])
    this.#targets = new Targets(routing, DECIDING)
    this.#slices = new SlicesV1(message)
  }

  /** Throws a refusal with status 400 where the message is malformed. */
  read(): void {
    const reader = new WireReader(this.#message, MESSAGES[1])
    while (reader.at < reader.end) {
      const { at } = reader
      reader.next()
      if (reader.field === SERIES) {
        reader.require(LENGTH)
        if (this.#count++ === MOST_SERIES) reader.refuse(`it has more than ${MOST_SERIES} series`)
        this.#addSeries(at, reader.start, reader.at)
        if (this.#labels > MOST_LABELS_IN_ALL) reader.refuse(`it has more than ${MOST_LABELS_IN_ALL} labels`)
      } else if (reader.field === METADATA) this.#metadata.add(reader, at)
      // other fields are of no tenant, and upstreams have some of their own there
    }
  }

  /** Whether it has metadata besides series. */
  get isMixed(): boolean {
    return this.#count > 0 && !this.#metadata.isEmpty
  }

  finish(): Split {
    const [rejections, { numbers }] = [this.#rejections, this.#targets]
    if (!this.#metadata.isEmpty) this.#metadata.assign(this.#context, numbers, this.#slices, rejections)
    return {
      received: this.#received,
      slices: this.#slices.finish(numbers.slices),
      rejected: rejections.lines(),
      rejectedSeries: rejections.series,
      rejectedKinds: rejections.kinds,
      rejectedCounts: rejections.counts,
      seriesByDefault: this.#byDefault,
      ignored: this.#ignored,
      labels: this.#labels,
      unclaimedMetadata: this.#metadata.unclaimed,
    }
  }

  #addSeries(frame: number, start: number, end: number): void {
    const series = this.#series
    series.read(start, end)
    this.#received.samples += series.samples
    this.#received.histograms += series.histograms
    this.#received.exemplars += series.exemplars
    this.#labels += series.labels
    if (!series.sound) {
      const reason = problemOf(series.positions(start, end))
      if (reason !== undefined) {
        this.#reject(this.#tenantOfUnsound(), reason, start, end, "malformed")
        return
      }
    }
    const target = this.#targets.find(this.#message, series.found)
    const reason = target.refused ?? this.#missing()
    if (reason !== undefined) {
      this.#reject(target.tenant, reason, start, end, target.kind)
      return
    }
    if (target.byDefault) this.#byDefault++
    if (target.ignored !== undefined) this.#ignored.add(target.ignored)
    if (this.#listens) this.#note(target)
    for (let index = 0; index < target.slices.length; index++) {
      const strip = 4 * (target.strips[index] as number)
      const stripStart = strip < 0 ? -1 : (series.found[strip] as number)
      const stripEnd = strip < 0 ? -1 : (series.found[strip + 1] as number)
      this.#slices.addSeries(target.slices[index] as number, frame, start, end, stripStart, stripEnd, series)
    }
  }

  #note({ route, number, slices }: Target): void {
    const { families, now } = this.#context
    const [start, end] = [this.#series.found[2] as number, this.#series.found[3] as number]
    if (route === undefined || families.seen.add(this.#message, start, end, route, number)) return
    const name = this.#message.toString("latin1", start, end)
    for (const slice of slices) {
      const named = this.#targets.numbers.slices[slice]
      if (named !== undefined) families.note(name, named.tenant, now)
    }
  }

  /** Whom a series belongs to of which a label is no UTF-8 or stands twice; empty where it is one that decides. */
  #tenantOfUnsound(): string {
    const { found, ambiguous } = this.#series
    if (ambiguous) return ""
    for (let at = 4 * DECIDING; at < found.length; at += 4) {
      if (!isUtf8Between(this.#message, found[at + 2] as number, found[at + 3] as number)) return ""
    }
    return this.#targets.find(this.#message, found).tenant
  }

  /** What a series must have and the one just read has not; undefined where it has all. */
  #missing(): string | undefined {
    const { found, labels, samples, histograms, exemplars } = this.#series
    if (labels > MOST_LABELS) return `it has more than ${MOST_LABELS} labels`
    if (labels === 0) return "it has no labels"
    if (found[2] === found[3]) return "it has no metric name"
    return samples + histograms + exemplars === 0 ? "it has no samples, histograms or exemplars" : undefined
  }

  #reject(tenant: string, reason: string, start: number, end: number, kind: RejectionKind): void {
    const example = (): string => seriesText(this.#series.positions(start, end).shown())
    this.#rejections.add(tenant, reason, this.#series, example, kind)
  }
}

/** Of labels, for a person; undefined where they are sound. */
function problemOf(labels: LabelPositions): string | undefined {
  const notUtf8 = labels.notUtf8()
  if (notUtf8 >= 0) return `its label ${labelText(labels.name(notUtf8))} is not UTF-8`
  if (labels.nameless()) return "a label has no name"
  const duplicate = labels.duplicate()
  return duplicate < 0 ? undefined : `it has the label ${labelText(labels.name(duplicate))} twice`
}

/** A message that begins at a multiple of four in its memory, so that it can be read by words. */
const aligned = (message: Buffer): Buffer =>
  message.byteOffset % 4 === 0 ? message : Buffer.from(new Uint8Array(message).buffer)
