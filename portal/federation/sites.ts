import { dirname, isAbsolute, join } from "node:path"
import { type Path, parseYaml } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type EntryReader, readTls, readToken, type Report } from "./credentials.ts"
import { crossCheck } from "./cross-checks.ts"
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
  /** Relative to Prometheus' configuration. */
  readonly tokenFile: string
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
    return [...readToken(entry, reader), ...readTls(entry, reader)]
  })
  if (whole === undefined || faults.any) throw faults.toError()
  const sites = whole.sites.map((entry, index): Site => {
    const { interval, timeout = Math.min(interval, LONGEST_DEFAULT_TIMEOUT) } = entry
    return { ...entry, timeout, tokenFile: secrets[index]?.[0]?.path ?? "" }
  })
  return { sites, limits: whole.limits, files: secrets.flat() }
}

/** Logged for each such site whenever the configuration files are read. */
export const PLAIN_HTTP = "token and data cross the network unencrypted: give the site TLS, and its url https://"

/** As a URL's `hostname` shows them. Other names, such as those of containers, may lead over a network to another machine. */
const LOOPBACK = /^(?:localhost\.?|127(?:\.\d+){3}|\[::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\])$/

export const sendsTokenInPlain = ({ protocol, hostname }: URL): boolean =>
  protocol === "http:" && !LOOPBACK.test(hostname)
