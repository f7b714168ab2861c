import type { SeriesReader } from "./series-v2.ts"

/** Series of a message that belong to one tenant and group, by their number in the message. */
export class Portion {
  readonly series: number[] = []
  /** The tenant label that each of them is sent without. */
  readonly strips: number[] = []
  /** By the number of a series: others with the same labels, whose exemplars are sent with it. */
  readonly joined = new Map<number, number[]>()
  samples = 0
  histograms = 0
  exemplars = 0
  metadata = 0
  /** Without the symbols. */
  bytes = 0

  add(number: number, strip: number, bytes: number, read: SeriesReader): void {
    this.series.push(number)
    this.strips.push(strip)
    this.samples += read.samples
    this.histograms += read.histograms
    this.exemplars += read.exemplars
    if (read.metadata) this.metadata++
    this.bytes += bytes
  }

  /** Sends the exemplars of a series with another one, which is in here. */
  join(partner: number, number: number, bytes: number, read: SeriesReader): void {
    const joined = this.joined.get(partner)
    if (joined === undefined) this.joined.set(partner, [number])
    else joined.push(number)
    this.exemplars += read.exemplars
    this.bytes += bytes
  }
}
