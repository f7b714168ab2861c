import { randomBytes } from "node:crypto"
import type { Context } from "#core/component.ts"
import { readText } from "#core/files/read-text.ts"
import type { Limits } from "./schema.ts"
import { hostOf } from "./job-credentials.ts"
import { loadSites, type Site } from "./sites.ts"
import { type SiteWarning, warningsOf } from "./warnings.ts"

/** Prints the sites of a file. Throws ConfigurationError with every fault. */
export function checkSites(file: string, { print, env }: Pick<Context, "print" | "env">): undefined {
  const { sites, limits } = loadSites(file, { env, key: randomBytes(32), read: readText })
  print(describe(file, sites, limits))
}

function describe(file: string, sites: readonly Site[], limits: Limits): string {
  const counted = sites.length === 1 ? "1 site" : `${sites.length} sites`
  const summary = `${file}: ${counted}, each up to ${limits.response_bytes} bytes and ${limits.series} series a scrape\n`
  const warnings = Map.groupBy(warningsOf(sites), ({ site }) => site)
  return summary + sites.map((site) => `\n${describeSite(site, warnings.get(site) ?? [])}`).join("")
}

function describeSite(site: Site, warnings: readonly SiteWarning[]): string {
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
