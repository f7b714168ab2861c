import { dirname, isAbsolute, join } from "node:path"
import { type Path, parseYaml } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type EntryReader, readSecret, type Report } from "./credentials.ts"
import { crossCheck } from "./cross-checks.ts"
import { readTls } from "./site-tls.ts"
import { readableSites, type SiteEntry, sitesFileSchema } from "./schema.ts"

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
  /** Of its token, password or client secret, relative to Prometheus' configuration; a client certificate needs none. */
  readonly secretFile: string | undefined
}

/** Longer scrapes hide that a site is in trouble. */
const LONGEST_DEFAULT_TIMEOUT = 30

/**
 * Reads sites.yaml and the files that it names: tokens and TLS files for Prometheus. Throws ConfigurationError with every
 * fault in the order of the file.
 */
export function loadSites(file: string, inputs: Inputs) {
  const text = inputs.read(file)
  const { value: entries, where } = parseYaml(text, file, readableSites)
  const faults = new Faults()
  const report: Report = (path, message) => faults.add(where(path), message)

  const whole = faults.collect(() => parseYaml(text, file, sitesFileSchema).value)
  crossCheck(text, entries, report)
  const secrets = entries.map((entry, index) => {
    const at = (path: Path): string => where(["sites", index, ...path])
    const reader: EntryReader = {
      ...inputs,
      report: (path, message) => faults.add(at(path), message),
      read: (name, path) =>
        faults.collect(() => inputs.read(isAbsolute(name) ? name : join(dirname(file), name), at(path))),
    }
    return { secret: readSecret(entry, reader), tls: readTls(entry, reader) }
  })
  if (whole === undefined || faults.any) throw faults.toError()
  const sites = whole.sites.map((entry, index): Site => {
    const { interval, timeout = Math.min(interval, LONGEST_DEFAULT_TIMEOUT) } = entry
    return { ...entry, timeout, secretFile: secrets[index]?.secret[0]?.path }
  })
  return { sites, limits: whole.limits, files: secrets.flatMap(({ secret, tls }) => [...secret, ...tls]), where }
}
