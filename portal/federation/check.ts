import { randomBytes } from "node:crypto"
import type { Context } from "#core/component.ts"
import { Faults } from "#core/config/faults.ts"
import { readText } from "#core/files/read-text.ts"
import { limitConcurrency } from "#core/limits/concurrency.ts"
import { type Delivery, requestSite } from "./connect.ts"
import { collapsing, seriesOf } from "./dropped-labels.ts"
import type { Limits } from "./schema.ts"
import { hostOf } from "./job-credentials.ts"
import { loadSites, type Site } from "./sites.ts"
import { type SiteWarning, warningsOf } from "./warnings.ts"

/** Requests at the same time. */
const REQUESTS = 8

/**
 * Prints the sites of a file. With `connect` each is requested once, as Prometheus would. Throws ConfigurationError with every
 * fault, such as that a site does not deliver.
 */
export async function checkSites(
  file: string,
  { print, env, signal }: Pick<Context, "print" | "env" | "signal">,
  connect = false,
): Promise<undefined> {
  const { sites, limits, files, where } = loadSites(file, { env, key: randomBytes(32), read: readText })
  const warnings = Map.groupBy(warningsOf(sites), ({ site }) => site)
  const contents = new Map(files.map(({ path, content }) => [path, content]))
  const faults = new Faults()
  print(describe(file, sites.length, limits))
  const limited = limitConcurrency(REQUESTS)
  const attempt = async (site: Site): Promise<Attempt> => {
    const delivery = await limited(() => requestSite(site, contents, limits, signal))
    return attemptOf(site, delivery)
  }
  const attempts = sites.map((site) => (connect ? attempt(site) : NO_ATTEMPT))
  for (const [index, site] of sites.entries()) {
    const { rows, reason } = (await attempts[index]) ?? NO_ATTEMPT
    print(`\n${describeSite(site, warnings.get(site) ?? [], rows)}`)
    if (reason !== undefined) faults.add(where(["sites", index]), `${site.name} does not deliver: ${reason}`)
  }
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

function describeSite(site: Site, warnings: readonly SiteWarning[], attempted: readonly Row[]): string {
  const { name, url, labels, match, interval, timeout, tls, proxy_url, drop_labels, metric_relabel_configs } = site
  const show = (values: object, quote: (value: unknown) => string, equals: string): string =>
    Object.entries(values)
      .map(([key, value]) => `${key}${equals}${quote(value)}`)
      .join(", ")
  const rows = [
    ["url", `${url.href.replace(/\/$/, "")}/federate`],
    ["labels", show({ site: name, ...labels }, JSON.stringify, "=")],
    ...match.map((selector) => ["match", selector]),
    ["scraped", `every ${interval}s, for at most ${timeout}s`],
    ...(tls === undefined ? [] : [["tls", show(tls, String, " ")]]),
    ...(proxy_url === undefined ? [] : [["through", hostOf(proxy_url)]]),
    ["sends", sent(site)],
    ...(drop_labels === undefined ? [] : [["drops", drop_labels.join(", ")]]),
    ...(metric_relabel_configs ?? []).map((rule) => ["relabels", show(rule, JSON.stringify, " ")]),
    ...warnings.map(({ message }) => ["warning", message]),
    ...attempted,
  ]
  return `${name}\n${rows.map(([key = "", value]) => `  ${key.padEnd(8)} ${value}\n`).join("")}`
}

/** By what the site knows the portal, without the secret. */
function sent({ token, basic_auth, authorization, oauth2, tls }: Site): string {
  const kinds = [
    token && "a bearer token",
    basic_auth && `a password as user ${basic_auth.username}`,
    authorization && `credentials of type ${authorization.type}`,
    oauth2 && `a bearer token of ${oauth2.token_url.origin} for ${oauth2.client_id}`,
    tls?.cert_file && "a client certificate",
  ]
  return kinds.filter((kind) => kind !== undefined).join(", and ")
}
