import { randomBytes } from "node:crypto"
import type { Context } from "#core/component.ts"
import { readText } from "#core/files/read-text.ts"
import type { Limits } from "./schema.ts"
import { loadSites, PLAIN_HTTP, sendsTokenInPlain, type Site } from "./sites.ts"

/** Prints the sites of a file. Throws ConfigurationError with every fault. */
export function checkSites(file: string, { print, env }: Pick<Context, "print" | "env">): undefined {
  const { sites, limits } = loadSites(file, { env, key: randomBytes(32), read: readText })
  print(describe(file, sites, limits))
}

function describe(file: string, sites: readonly Site[], limits: Limits): string {
  const counted = sites.length === 1 ? "1 site" : `${sites.length} sites`
  const summary = `${file}: ${counted}, each up to ${limits.response_bytes} bytes and ${limits.series} series a scrape\n`
  return summary + sites.map((site) => `\n${describeSite(site)}`).join("")
}

function describeSite({ name, url, labels, match, interval, timeout, tls }: Site): string {
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
    ...(sendsTokenInPlain(url) ? [["warning", PLAIN_HTTP]] : []),
  ]
  return `${name}\n${rows.map(([key = "", value]) => `  ${key.padEnd(8)} ${value}\n`).join("")}`
}
