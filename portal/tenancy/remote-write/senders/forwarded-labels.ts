import type { LabelName } from "./label-names.ts"
import type { SeriesLabels } from "./series-labels.ts"
import type { SeriesRules } from "./series-rules.ts"

interface OwnLabel {
  readonly key: string
  readonly name: Buffer
  readonly value: Buffer
}

/** What Prometheus itself notes of each scrape, and what a recording rule at the site may be called as well. */
const NOTED_BY_PROMETHEUS = /^(?:up|scrape_[0-9A-Za-z_]*)$/

/**
 * The labels of a series as they are forwarded, sorted by name: what the portal's Prometheus makes of a series that it
 * federates (federation/site-labels.ts). Used again for the next series.
 */
export class ForwardedLabels {
  length = 0
  readonly names: Buffer[] = []
  /** Of the label as it was sent, with its value unless `values` has one; -1: of none. */
  readonly sources: number[] = []
  readonly values: (Buffer | undefined)[] = []
  readonly #keys: string[] = []
  readonly #own: readonly OwnLabel[]
  readonly #site: string | undefined
  readonly #siteBytes: Buffer
  readonly #siteAsJob: RegExp | undefined
  /** Where the values of the series before had no part in what was made of it: its job, or -1; undefined where they had. */
  #jobBefore: number | undefined
  #namesBefore: readonly LabelName[] = []

  constructor({ labels }: SeriesRules) {
    this.#own = Object.entries(labels).map(([text, value]) => {
      const name = Buffer.from(text)
      return { key: name.toString("latin1"), name, value: Buffer.from(value) }
    })
    const { site } = labels
    this.#site = site
    this.#siteBytes = Buffer.from(site ?? "")
    this.#siteAsJob =
      site === undefined ? undefined : new RegExp(String.raw`^(?:exported_)*${RegExp.escape(site)}$`, "u")
  }

  set(labels: SeriesLabels): void {
    if (this.#jobBefore !== undefined && this.#hasNamesOfBefore(labels) && this.#isPlain(labels, this.#jobBefore))
      return
    this.#make(labels)
  }

  /** As most series have. They may be of another message: all have the names of one table. */
  #hasNamesOfBefore({ names, length }: SeriesLabels): boolean {
    if (length !== this.#namesBefore.length) return false
    for (let index = 0; index < length; index++) if (names[index] !== this.#namesBefore[index]) return false
    return true
  }

  /** Whether only its names decide what becomes of a series. */
  #isPlain(labels: SeriesLabels, job: number): boolean {
    for (let index = 0; index < labels.length; index++) if (labels.isEmpty(index)) return false
    return this.#site === undefined || !labels.endsWith(job, this.#siteBytes)
  }

  #make(labels: SeriesLabels): void {
    this.length = 0
    let hasJob = false
    let job = -1
    let isPlain = true
    for (let index = 0; index < labels.length; index++) {
      const name = labels.names[index]
      if (name === undefined) continue
      if (name.own !== undefined) isPlain = false
      if (labels.isEmpty(index)) {
        isPlain = false // an empty label is none
        continue
      }
      if (name.own !== undefined && labels.hasValue(index, name.own)) continue
      if (name.text === "job") {
        hasJob = true
        job = index
        this.#add(name.key, name.bytes, index, this.#job(labels, labels.value(index)))
      } else this.#addSent(name, index)
    }
    if (!hasJob && this.#site !== undefined) {
      this.#add("job", JOB, -1, this.#job(labels, this.#site) ?? this.#siteBytes)
    }
    for (const { key, name, value } of this.#own) this.#add(key, name, -1, value)
    isPlain &&= this.#site === undefined || (hasJob && !labels.endsWith(job, this.#siteBytes))
    this.#jobBefore = isPlain ? job : undefined
    this.#namesBefore = labels.names.slice(0, labels.length)
  }

  #addSent(name: LabelName, index: number): void {
    this.#add(name.key, name.bytes, index, undefined)
  }

  /** What stands for the value, where it has to be another one. */
  #job(labels: SeriesLabels, job: string): Buffer | undefined {
    if (this.#siteAsJob?.test(job) !== true) return undefined
    const index = labels.find("__name__")
    if (index === -1 || !NOTED_BY_PROMETHEUS.test(labels.value(index))) return undefined
    return Buffer.from(`exported_${job}`)
  }

  #add(key: string, name: Buffer, source: number, value: Buffer | undefined): void {
    // most come in their order
    let at = this.length++
    for (; at > 0 && (this.#keys[at - 1] ?? "") > key; at--) {
      this.#keys[at] = this.#keys[at - 1] ?? ""
      this.names[at] = this.names[at - 1] ?? name
      this.sources[at] = this.sources[at - 1] ?? -1
      this.values[at] = this.values[at - 1]
    }
    this.#keys[at] = key
    this.names[at] = name
    this.sources[at] = source
    this.values[at] = value
  }
}

const JOB = Buffer.from("job")
