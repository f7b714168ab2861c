import { createHash } from "node:crypto"
import { resolve } from "node:path"
import { duplicates, Faults } from "#core/config/faults.ts"
import { httpUrl, type Parse, Wrong } from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"

/** One of the Prometheus that share the sites of a portal. */
export interface Shard {
  readonly name: string
  readonly url: URL
  /** Where its configuration is written, which holds nothing else. */
  readonly folder: string
  /** Whether metrics, alerts and data name it: not where it is the only one, given by --prometheus.url. */
  readonly named: boolean
}

/** Of --prometheus.url and --prometheus.config-dir, which are not given where there are shards. */
export const DEFAULT_URL = "http://prometheus:9090"
export const DEFAULT_FOLDER = "portal/prometheus/generated"

const NAME = /^[a-z\d](?:[a-z\d.-]{0,61}[a-z\d])?$/i

/** Of `NAME=URL,FOLDER`. */
export const shard: Parse<Shard> = (text) => {
  const [, name = "", address = "", folder = ""] = /^([^=]*)=([^,]*),(.+)$/s.exec(text.trim()) ?? []
  if (folder === "")
    return new Wrong("must be NAME=URL,FOLDER, such as a=http://prometheus-a:9090,portal/prometheus/generated-a")
  if (!NAME.test(name))
    return new Wrong("must begin with a name of 1 to 63 letters, digits, dots and dashes, as a site has")
  const url = httpUrl(address)
  if (url instanceof Wrong) return new Wrong(`must name a URL that starts with http:// or https:// after ${name}=`)
  return { name, url, folder, named: true }
}

/** Those given, or the one of --prometheus.url and --prometheus.config-dir. Throws UsageError. */
export function shardsOf(settings: {
  readonly prometheusUrl: URL
  readonly configDir: string
  readonly prometheusShards: readonly Shard[]
}): readonly [Shard, ...Shard[]] {
  const [first, ...others] = settings.prometheusShards
  const { prometheusUrl: url, configDir: folder } = settings
  if (first === undefined) return [{ name: url.host, url, folder, named: false }]
  const shards: readonly [Shard, ...Shard[]] = [first, ...others]
  const faults = new Faults()
  const beside = "cannot be given together with --prometheus.shard"
  if (url.href !== new URL(DEFAULT_URL).href) faults.add("--prometheus.url", beside)
  if (folder !== DEFAULT_FOLDER) faults.add("--prometheus.config-dir", beside)
  const report = (message: string): void => faults.add("--prometheus.shard", message)
  for (const [one] of duplicates(shards, ({ name }) => name.toLowerCase())) report(`${one.name} is given twice`)
  for (const [one, other] of duplicates(shards, (shard_) => shard_.url.href))
    report(`${one.name} has the URL of ${other.name}; each is a Prometheus of its own`)
  const folders = shards.map((one) => `${resolve(one.folder)}/`)
  for (const [index, one] of shards.entries())
    for (const [earlier, other] of shards.slice(0, index).entries()) {
      const [mine = "", its = ""] = [folders[index], folders[earlier]]
      if (mine.startsWith(its) || its.startsWith(mine))
        report(`${one.name} has the folder of ${other.name}, or one within the other; each needs its own`)
    }
  faults.orThrow(UsageError)
  return shards
}

/**
 * The shard of a site by its name alone (rendezvous hashing): one that is added to N others takes a share of 1/(N + 1) of
 * the sites, and one that is removed leaves all others where they are.
 */
export function homeOf(site: string, shards: readonly string[]): string {
  let [home = "", best = ""] = []
  for (const name of shards) {
    const weight = createHash("sha256").update(`${name}\0${site}`).digest("hex")
    if (weight > best) [home, best] = [name, weight]
  }
  return home
}
