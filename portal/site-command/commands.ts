import { component } from "#core/component.ts"
import { httpUrl, inGroup, type Parse, setting, settings, text, Wrong } from "#core/config/settings.ts"

const where = inGroup("Where", {
  portalUrl: setting(httpUrl, {
    flag: "--portal.url <url>",
    help: "Send the change to this portal, which reports whether Prometheus confirmed it",
  }),
  portalTokenFile: setting(text, {
    flag: "--portal.token-file <file>",
    help: "Send the operator's token in this file, one that --web.admin-token-file of the portal knows",
  }),
  portalCaFile: setting(text, {
    flag: "--portal.ca-file <file>",
    help: "Trust these certificates for --portal.url, in place of the public ones",
  }),
  sitesFile: setting(text, {
    flag: "--sites.file <file>",
    help: "Without --portal.url: edit this file, which a portal on this machine reads",
  }),
})

/** `location=city-a` */
const label: Parse<readonly [string, string]> = (given) => {
  const [, name, value] = /^([^=]+)=(.+)$/s.exec(given) ?? []
  return name === undefined || value === undefined ? new Wrong("must be NAME=VALUE") : [name, value]
}
const own = { group: "Site", env: [] } as const
const argument = { notation: "<site>", help: "the name of the site" }
const docs = "portal.md#add-pause-and-remove-sites"
const once = (): boolean => true
const load = () => import("./run.ts")

export const addSite = component({
  settings: {
    url: setting(text, { ...own, flag: "--url <url>", help: "Request the site's proxy there; /federate is added" }),
    labels: settings(
      label,
      { ...own, flag: "--label <name=value>", help: "Put this label on every series of the site; may be repeated" },
      [],
    ),
    match: settings(text, { ...own, flag: "--match <selector>", help: "Request these series; may be repeated" }, []),
    interval: setting(text, { ...own, flag: "--interval <duration>", help: "Scrape it this often, such as 1m" }),
    timeout: setting(text, { ...own, flag: "--timeout <duration>", help: "Wait this long for a response" }),
    proxyUrl: setting(text, { ...own, flag: "--proxy-url <url>", help: "Reach it through this forward proxy" }),
    tokenFile: setting(text, {
      ...own,
      flag: "--token-file <file>",
      help: "Send it the token in this file of the portal, whose name is relative to sites.yaml",
    }),
    tokenEnv: setting(text, {
      ...own,
      flag: "--token-env <name>",
      help: "Send it the token in this variable of the portal",
    }),
    pushSha256: setting(text, {
      ...own,
      flag: "--push-sha256 <hash>",
      help: "In place of --url: accept what it writes with the token of this hash, as 'fedstack token hash' prints it",
    }),
    pushTenant: setting(text, {
      ...own,
      flag: "--push-tenant <id>",
      help: "With --push-sha256: all that it writes is for this tenant",
    }),
    audience: setting(text, {
      ...own,
      flag: "--jwt-audience <name>",
      help: "Have the portal sign tokens for this audience",
    }),
    ...where,
  },
  argument,
  example:
    "fedstack site add site-b --url https://site-b.example.org --label location=city-b --token-file tokens/site-b --sites.file sites.yaml",
  docs,
  once,
  run: async (values, context, name) => (await load()).addSite(values, context, name),
})

export const listSites = component({
  settings: where,
  example: "fedstack site list --portal.url https://portal.example.org --portal.token-file operator.token",
  docs,
  once,
  run: async (values, context) => (await load()).listSites(values, context),
})

export const pauseSite = component({
  settings: {
    why: setting(text, {
      ...own,
      flag: "--why <text>",
      help: "Show this reason on the page, with who paused it and when",
    }),
    ...where,
  },
  argument,
  example: 'fedstack site pause site-b --why "moves to another building" --sites.file sites.yaml',
  docs,
  once,
  run: async (values, context, name) => (await load()).pauseSite(values, context, name),
})

export const resumeSite = component({
  settings: where,
  argument,
  example: "fedstack site resume site-b --sites.file sites.yaml",
  docs,
  once,
  run: async (values, context, name) => (await load()).resumeSite(values, context, name),
})

export const removeSite = component({
  settings: where,
  argument,
  example: "fedstack site remove site-b --sites.file sites.yaml",
  docs,
  once,
  run: async (values, context, name) => (await load()).removeSite(values, context, name),
})
