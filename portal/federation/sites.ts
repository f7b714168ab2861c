import { dirname, isAbsolute, join } from "node:path"
import { z } from "zod"
import { type Path, parseYaml } from "#core/config/config-file.ts"
import { Faults } from "#core/config/faults.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { type SiteSecrets, readCredentials, type Report } from "./credentials.ts"
import { crossCheck, keysOf } from "./cross-checks.ts"
import type { OutputFile } from "./publish.ts"
import { type Limits, type SiteEntry, siteShape, sitesFileSchema, tlsShape } from "./schema.ts"

/** Where the configuration comes from. */
export interface Inputs {
  readonly env: Readonly<Record<string, string | undefined>>
  /** Makes names of token files that reveal nothing about the token without it. */
  readonly key: Buffer
  readonly read: ReadText
}

/** A site as Prometheus scrapes it; times in seconds. Its secrets are kept apart, in files. */
export type Site = Omit<SiteEntry, "token" | "timeout" | "tls"> & {
  readonly timeout: number
  /** Relative to Prometheus' configuration. */
  readonly tokenFile: string
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
export function loadSites(file: string, inputs: Inputs): Sites {
  const text = inputs.read(file)
  const { value: raw, where } = parseYaml(text, file, z.unknown())
  const faults = new Faults()
  const report: Report = (path, message) => faults.add(where(path), message)

  const whole = faults.collect(() => parseYaml(text, file, sitesFileSchema).value)
  const entries = readableEntries(raw)
  crossCheck(text, raw, entries, report)
  const credentials = entries.map((entry, index) => {
    const at = (path: Path): string => where(["sites", index, ...path])
    return readCredentials(entry, {
      ...inputs,
      report: (path, message) => faults.add(at(path), message),
      read: (name, path) =>
        faults.collect(() => inputs.read(isAbsolute(name) ? name : join(dirname(file), name), at(path))),
    })
  })
  if (whole === undefined || faults.any) throw faults.toError()
  const sites = whole.sites.map((entry, index) => completed(entry, credentials[index]))
  return {
    sites,
    limits: whole.limits,
    files: credentials.flatMap(({ token, tls }) => [...(token ? [token] : []), ...tls]),
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

function completed({ timeout, tls, ...entry }: SiteEntry, credentials: SiteSecrets | undefined): Site {
  const { name, url, labels, match, interval } = entry
  const ownTimeout = timeout ?? Math.min(interval, LONGEST_DEFAULT_TIMEOUT)
  return { name, url, labels, match, interval, timeout: ownTimeout, tokenFile: credentials?.token?.path ?? "", tls }
}

/** Logged for each such site whenever the configuration files are read. */
export const PLAIN_HTTP = "token and data cross the network unencrypted: give the site TLS, and its url https://"

/** As a URL's `hostname` shows them. Other names, such as those of containers, may lead over a network to another machine. */
const LOOPBACK = /^(?:localhost\.?|127(?:\.\d+){3}|\[::(?:1|ffff:7f[\da-f]{2}:[\da-f]{1,4})\])$/

export const sendsTokenInPlain = ({ protocol, hostname }: URL): boolean =>
  protocol === "http:" && !LOOPBACK.test(hostname)
