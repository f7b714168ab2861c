import { dirname, isAbsolute, join } from "node:path"
import { openYaml, type Path } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type EntryReader, mintedPath, readSecret, type Report } from "./credentials.ts"
import { crossCheck } from "./cross-checks.ts"
import type { OutputFile } from "./publish.ts"
import { readTls } from "./site-tls.ts"
import { type Limits, readableSites, type SiteEntry, sitesFileSchema } from "./schema.ts"
import type { PushingEntry } from "../sites/pushing-site.ts"

/** Where the configuration comes from. */
export interface Inputs {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Makes names of token files that reveal nothing about the token without it. */
  readonly key: Buffer
  readonly read: ReadText
}

/** A site as Prometheus scrapes it; times in seconds. Its secrets are kept apart, in files. */
export type Site = SiteEntry & {
  readonly timeout: number
  /**
   * Of its token, password or client secret, relative to Prometheus' configuration; a client certificate needs none. One that the
   * portal signs is not among the files of sites.yaml.
   */
  readonly secretFile: string | undefined
  /** Its place in sites.yaml, such as `sites.yaml:12:5 sites[0]`. */
  readonly where: string
  /** Among all entries. */
  readonly index: number
}

/** A site that nobody can reach: it writes to fedstack tenancy-proxy, and Prometheus has no job for it. */
export type PushingSite = PushingEntry & Pick<Site, "where" | "index">

/** Those of the site where it has its own, else those of all. */
export const limitsOf = ({ limits: own }: Partial<Pick<Site, "limits">>, ofAll: Limits): Limits => ({
  response_bytes: own?.response_bytes ?? ofAll.response_bytes,
  series: own?.series ?? ofAll.series,
})

/** Longer scrapes hide that a site is in trouble. */
const LONGEST_DEFAULT_TIMEOUT = 30

/**
 * Reads sites.yaml and the files that it names: tokens and TLS files for Prometheus. Throws ConfigurationError with every
 * fault in the order of the file.
 */
export function loadSites(file: string, inputs: Inputs) {
  const opened = openYaml(inputs.read(file), file)
  const { value: entries, where } = opened.as(readableSites)
  const faults = new Faults()
  const report: Report = (path, message) => faults.add(where(path), message)

  const whole = faults.collect(() => opened.as(sitesFileSchema).value)
  crossCheck(opened.document, entries, report)
  const secrets = entries.map((entry, index) => {
    const at = (path: Path): string => where(["sites", index, ...path])
    const reader: EntryReader = {
      ...inputs,
      report: (path, message) => faults.add(at(path), message),
      read: (name, path) =>
        faults.collect(() => inputs.read(isAbsolute(name) ? name : join(dirname(file), name), at(path))),
    }
    // what stands below push is read by who receives the writes
    if (entry.push !== undefined) return { secret: [], tls: [] }
    return { secret: readSecret(entry, reader), tls: readTls(entry, reader) }
  })
  if (whole === undefined || faults.any) throw faults.toError()
  const placed = whole.sites.map((entry, index) => ({ entry, index, where: where(["sites", index]) }))
  const sites = placed.flatMap(({ entry, index, where: at }): readonly Site[] => {
    if ("push" in entry) return []
    const { interval, timeout = Math.min(interval, LONGEST_DEFAULT_TIMEOUT) } = entry
    const secretFile =
      entry.jwt === undefined ? secrets[index]?.secret[0]?.path : mintedPath(entry.name, entry.jwt.audience)
    return [{ ...entry, timeout, secretFile, where: at, index }]
  })
  const pushing = placed.flatMap(({ entry, ...place }): readonly PushingSite[] =>
    "push" in entry ? [{ ...entry, ...place }] : [],
  )
  const filesOf = new Map(sites.map(({ name, index }) => [name, filesIn(secrets[index])]))
  return { sites, pushing, limits: whole.limits, files: [...filesOf.values()].flat(), filesOf, where }
}

const filesIn = (
  { secret, tls }: Readonly<Record<"secret" | "tls", readonly OutputFile[]>> = { secret: [], tls: [] },
) => [...secret, ...tls]
