import { dirname } from "node:path"
import { isScalar, parseDocument } from "yaml"
import { z } from "zod"
import { type Path, parseYaml } from "#core/config-file.ts"
import { ConfigurationError, type Fault } from "#core/errors.ts"
import { readCredentials, type Report } from "./credentials.ts"
import type { Inputs } from "./inputs.ts"
import type { OutputFile } from "./publish.ts"
import { type Limits, type SiteEntry, siteShape, sitesFileSchema, tlsShape } from "./schema.ts"

/** A site as Prometheus scrapes it; times in seconds. Its secrets are kept apart, in files. */
export type Site = Omit<SiteEntry, "token" | "timeout" | "tls"> & {
  readonly timeout: number
  readonly tls: SiteEntry["tls"]
}

export interface Sites {
  readonly sites: readonly Site[]
  readonly limits: Limits
  /** Tokens and TLS files for Prometheus. */
  readonly files: readonly OutputFile[]
}

/** Longer scrapes hide that a site is in trouble. */
const LONGEST_DEFAULT_TIMEOUT = 30

/** Reads sites.yaml and the files that it names. Throws ConfigurationError with every fault in the order of the file. */
export async function loadSites(file: string, inputs: Inputs): Promise<Sites> {
  const text = await inputs.read(file)
  const { value: raw, where } = parseYaml(text, file, z.unknown())
  const faults: Fault[] = []
  const report: Report = (path, message) => faults.push({ where: where(path), message })

  const whole = validate(text, file, faults)
  const entries = readableEntries(raw)
  checkTwins(entries, report)
  checkTimes(entries, report)
  checkNumbers(text, raw, report)
  const files = await Promise.all(
    entries.map((entry, index) => {
      const at = (path: Path): Path => ["sites", index, ...path]
      return readCredentials(entry, {
        folder: dirname(file),
        inputs,
        report: (path, message) => report(at(path), message),
        where: (path) => where(at(path)),
      })
    }),
  )
  if (faults.length > 0 || whole === undefined) throw new ConfigurationError(faults.toSorted(byPlace))
  return { sites: whole.sites.map(completed), limits: whole.limits, files: files.flat() }
}

function validate(text: string, file: string, faults: Fault[]): z.output<typeof sitesFileSchema> | undefined {
  try {
    return parseYaml(text, file, sitesFileSchema).value
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    faults.push(...error.faults)
    return undefined
  }
}

/** What is right in each entry, so that one fault does not hide those that show only across keys, entries and files. */
function readableEntries(raw: unknown): readonly Partial<SiteEntry>[] {
  const list = keysOf(raw).sites
  if (!Array.isArray(list)) return []
  return list.map((entry: unknown): Partial<SiteEntry> => {
    const { tls } = keysOf(entry)
    return { ...readable(siteShape, entry), ...(tls === undefined ? {} : { tls: readable(tlsShape, tls) }) }
  })
}

function readable<Shape extends z.core.$ZodShape>(shape: Shape, value: unknown): Partial<z.output<z.ZodObject<Shape>>> {
  const values = keysOf(value)
  const right = Object.entries(shape).flatMap(([key, schema]) => {
    const result = z.safeParse(schema, values[key])
    return result.success && result.data !== undefined ? [[key, result.data]] : []
  })
  return Object.fromEntries(right) as Partial<z.output<z.ZodObject<Shape>>>
}

function keysOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {}
}

function checkTwins(entries: readonly Partial<SiteEntry>[], report: Report): void {
  const kinds: readonly [
    key: keyof SiteEntry,
    of: (entry: Partial<SiteEntry>) => string | undefined,
    message: string,
  ][] = [
    // names become files: some file systems take a and A for the same
    ["name", ({ name }) => name?.toLowerCase(), "is also the name of"],
    ["url", ({ url }) => url?.href, "is also the url of"],
    ["labels", ({ labels }) => identity(labels), "are also the labels of"],
  ]
  for (const [key, of, message] of kinds) {
    const first = new Map<string, number>()
    entries.forEach((entry, index) => {
      const value = of(entry)
      if (value === undefined) return
      const twin = first.get(value)
      if (twin === undefined) {
        first.set(value, index)
        return
      }
      const named = entries[twin]?.name
      report(
        ["sites", index, key],
        `${message} sites[${twin}]${named === undefined ? "" : ` (${named})`}; each site needs its own`,
      )
    })
  }
}

/** Sites without labels are told apart by the label site alone, which is always there. */
function identity(labels: Readonly<Record<string, string>> = {}): string | undefined {
  const pairs = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return pairs.length === 0 ? undefined : JSON.stringify(pairs)
}

function checkTimes(entries: readonly Partial<SiteEntry>[], report: Report): void {
  entries.forEach(({ interval, timeout }, index) => {
    if (interval === undefined || timeout === undefined || timeout <= interval) return
    report(["sites", index, "timeout"], `must be at most the interval, which is ${interval}s`)
  })
}

/** `010` and `1e3` are numbers to YAML, whose value is written in another way. */
function checkNumbers(text: string, raw: unknown, report: Report): void {
  const document = parseDocument(text)
  const list = keysOf(raw).sites
  for (const [index, entry] of Array.isArray(list) ? list.entries() : []) {
    for (const [label, value] of Object.entries(keysOf(keysOf(entry).labels))) {
      const path = ["sites", index, "labels", label]
      const node = document.getIn(path, true)
      if (typeof value !== "number" || !isScalar(node) || node.source === String(value)) continue
      report(path, `is read as the number ${value}; quote it to keep what is written`)
    }
  }
}

function completed(entry: SiteEntry): Site {
  const { name, url, labels, match, interval, timeout, tls } = entry
  return {
    name,
    url,
    labels,
    match,
    interval,
    tls,
    timeout: timeout ?? Math.min(interval, LONGEST_DEFAULT_TIMEOUT),
  }
}

function byPlace(a: Fault, b: Fault): number {
  const [[lineA, columnA], [lineB, columnB]] = [placeOf(a), placeOf(b)]
  return lineA - lineB || columnA - columnB
}

function placeOf({ where }: Fault): readonly [number, number] {
  const [, line, column] = /:(\d+):(\d+)(?: |$)/.exec(where) ?? []
  return [Number(line ?? 0), Number(column ?? 0)]
}
