import { component } from "#core/component.ts"
import { readText } from "#core/files/read-text.ts"
import { openInputs } from "./inputs.ts"
import { PLAIN_HTTP, sendsTokenInPlain } from "./plain-http.ts"
import type { Limits } from "./schema.ts"
import { loadSites, type Site } from "./sites.ts"

export const command = component({
  settings: {},
  argument: { notation: "<file>", help: "the sites file, such as portal/sites.yaml" },
  once: () => true,
  run(_, { print, env }, file) {
    const { sites, limits } = loadSites(file, openInputs(env, readText))
    print(describe(file, sites, limits))
    return undefined
  },
})

function describe(file: string, sites: readonly Site[], limits: Limits): string {
  const counted = sites.length === 1 ? "1 site" : `${sites.length} sites`
  const summary = `${file}: ${counted}, each up to ${limits.response_bytes} bytes and ${limits.series} series a scrape\n`
  return summary + sites.map((site) => `\n${describeSite(site)}`).join("")
}

function describeSite({ name, url, labels, match, interval, timeout, tls }: Site): string {
  const pairs = Object.entries({ site: name, ...labels }).map(([label, value]) => `${label}=${JSON.stringify(value)}`)
  const lines = [
    ["url", `${url.href.replace(/\/$/, "")}/federate`],
    ["labels", pairs.join(", ")],
    ...match.map((selector) => ["match", selector] as const),
    ["scraped", `every ${interval}s, for at most ${timeout}s`],
    ...(tls === undefined
      ? []
      : [
          [
            "tls",
            Object.entries(tls)
              .map(([key, value]) => `${key} ${value}`)
              .join(", "),
          ] as const,
        ]),
    ...(sendsTokenInPlain(url) ? [["warning", PLAIN_HTTP] as const] : []),
  ]
  return `${name}\n${lines.map(([key = "", value]) => `  ${key.padEnd(8)} ${value}\n`).join("")}`
}
