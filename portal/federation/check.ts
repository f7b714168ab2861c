import { randomBytes } from "node:crypto"
import type { Context } from "#core/component.ts"
import { Faults } from "#core/config/faults.ts"
import { readText } from "#core/files/read-text.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { type Delivery, requestSite } from "./connect.ts"
import { credentialsOf } from "./credentials-of.ts"
import { collapsing, seriesOf } from "./dropped-labels.ts"
import type { Limits } from "./schema.ts"
import { hostOf } from "./job-credentials.ts"
import { checkPins } from "./pins.ts"
import { homeOf, type Shard } from "./shards.ts"
import { limitsOf, loadSites, type PushingSite, type Site } from "./sites.ts"
import { type SigningValues, tokensFor } from "../signing/for-commands.ts"
import { type SiteWarning, warningsOf } from "./warnings.ts"

const NO_SIGNING: SigningValues = { tokenKeyDir: undefined, configDir: "", webExternalUrl: undefined }

/** Requests at the same time. */
const REQUESTS = 8

/**
 * Prints the sites of a file. With `connect` each is requested once, as Prometheus would. Throws ConfigurationError with every
 * fault, such as that a site does not deliver.
 */
export async function checkSites(
  file: string,
  { print, env, signal, now }: Pick<Context, "print" | "env" | "signal"> & Partial<Pick<Context, "now">>,
  connect = false,
  shards: readonly Shard[] = [],
  signing: SigningValues = NO_SIGNING,
): Promise<undefined> {
  const { sites, pushing, limits, files, where } = loadSites(file, { env, key: randomBytes(32), read: readText })
  const warnings = Map.groupBy(warningsOf(sites), ({ site }) => site)
  const minted = connect ? await tokensFor(sites, signing, now ?? (() => new Date())) : []
  const contents = new Map([...files.map(({ path, content }) => [path, content] as const), ...minted])
  const faults = new Faults()
  if (shards.length > 0) checkPins({ sites, where }, shards, (place, message) => faults.add(place, message))
  faults.orThrow()
  const names = shards.map(({ name }) => name)
  print(describe(file, sites.length + pushing.length, limits))
  const limited = limitConcurrency(REQUESTS)
  const attempt = async (site: Site): Promise<Attempt> => {
    const delivery = await limited(() => requestSite(site, contents, limitsOf(site, limits), signal))
    return attemptOf(site, delivery)
  }
  const attempts = sites.map((site) => (connect && site.paused === undefined ? attempt(site) : NO_ATTEMPT))
  for (const [index, site] of sites.entries()) {
    const { rows, reason } = (await attempts[index]) ?? NO_ATTEMPT
    print(`\n${describeSite(site, warnings.get(site) ?? [], shardOf(site, names), rows)}`)
    if (reason !== undefined) faults.add(site.where, `${site.name} does not deliver: ${reason}`)
  }
  for (const site of pushing) print(`\n${describePushing(site)}`)
  faults.orThrow()
}

type Row = readonly [key: string, value: string]

interface Attempt {
  readonly rows: readonly Row[]
  /** Why the site does not deliver. */
  readonly reason?: string
}

const NO_ATTEMPT: Attempt = { rows: [] }

function attemptOf(site: Site, delivery: Delivery): Attempt {
  if (delivery.kind === "fails") return { rows: [["fails", delivery.reason]], reason: delivery.reason }
  const { exposition, seconds } = delivery
  const delivers: Row = ["delivers", `${seriesOf(exposition).length} series in ${seconds.toFixed(2)}s`]
  const equal = collapsing(site, exposition)
  if (equal === 0) return { rows: [delivers] }
  const message = `${equal} series differ from another by dropped labels alone: Prometheus keeps samples of one`
  return { rows: [delivers, ["warning", message]] }
}

function describe(file: string, sites: number, limits: Limits): string {
  const counted = sites === 1 ? "1 site" : `${sites} sites`
  return `${file}: ${counted}, each up to ${limits.response_bytes} bytes and ${limits.series} series a scrape\n`
}

/** What the site writes to fedstack tenancy-proxy, which reads the rest of its entry. */
function describePushing({ name, labels, match, interval, paused, push }: PushingSite): string {
  const shown = Object.entries({ site: name, ...labels }).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
  const known = [
    push.token && "a bearer token",
    push.jwt && "a token of an issuer",
    push.certificate && "a certificate",
  ]
  return showRows(name, [
    ["pushes", `about every ${interval}s${push.tenant === undefined ? "" : `, for the tenant ${push.tenant}`}`],
    ["labels", shown.join(", ")],
    ...match.map((selector): Row => ["match", selector]),
    ...(paused === undefined ? [] : [["paused", showPause(paused).replace("scraped", "accepted")] as const]),
    ["known by", known.filter((kind) => kind !== undefined).join(", or ")],
  ])
}

const showRows = (name: string, rows: readonly Row[]): string =>
  `${name}\n${rows.map(([key, value]) => `  ${key.padEnd(8)} ${value}\n`).join("")}`

function describeSite(
  site: Site,
  warnings: readonly SiteWarning[],
  placed: readonly Row[],
  attempted: readonly Row[],
): string {
  const { name, url, labels, match, interval, timeout, tls, proxy_url, drop_labels, metric_relabel_configs } = site
  const show = (values: object, quote: (value: unknown) => string, equals: string): string =>
    Object.entries(values)
      .map(([key, value]) => `${key}${equals}${quote(value)}`)
      .join(", ")
  const rows: readonly Row[] = [
    ["url", `${url.href.replace(/\/$/, "")}/federate`],
    ["labels", show({ site: name, ...labels }, JSON.stringify, "=")],
    ...match.map((selector): Row => ["match", selector]),
    ...(site.paused === undefined ? [] : [["paused", showPause(site.paused)] as const]),
    ["scraped", `every ${interval}s, for at most ${timeout}s`],
    ...placed,
    ...(site.limits === undefined ? [] : [["limits", showLimits(site.limits)] as const]),
    ...(tls === undefined ? [] : [["tls", show(tls, String, " ")] as const]),
    ...(proxy_url === undefined ? [] : [["through", hostOf(proxy_url)] as const]),
    ["sends", credentialsOf(site)],
    ...(drop_labels === undefined ? [] : [["drops", drop_labels.join(", ")] as const]),
    ...(metric_relabel_configs ?? []).map((rule): Row => ["relabels", show(rule, JSON.stringify, " ")]),
    ...warnings.map(({ message }): Row => ["warning", message]),
    ...attempted,
  ]
  return showRows(name, rows)
}

/** Those in place of what holds for all. */
function showLimits({ response_bytes, series }: NonNullable<Site["limits"]>): string {
  const own = [response_bytes && `up to ${response_bytes} bytes`, series && `up to ${series} series`].filter(Boolean)
  return `${own.join(" and ")} a scrape`
}

/** Where the site is; nothing where there is but one Prometheus, or it is not known which there are. */
function shardOf({ name, shard: pin }: Site, shards: readonly string[]): readonly Row[] {
  if (pin !== undefined) return [["shard", `${pin}, where sites.yaml pins it`]]
  return shards.length === 0 ? [] : [["shard", homeOf(name, shards)]]
}

/** Since when, by whom and why it is not scraped, as far as sites.yaml says so. */
function showPause({ by, at, why }: NonNullable<Site["paused"]>): string {
  const facts = [at && `since ${at.toISOString().slice(0, 16)}Z`, by && `by ${by}`, why].filter(Boolean)
  return facts.length === 0 ? "not scraped" : `not scraped: ${facts.join(", ")}`
}
