import { component } from "#core/component.ts"
import { httpUrl, inGroup, on, setting, settings, text } from "#core/config/settings.ts"
import { webSettings } from "#core/http/settings.ts"
import { accessSettings } from "./access/settings.ts"
import { doctorSettings } from "./doctor/settings.ts"
import { doorSettings } from "./door/settings.ts"
import { federationSettings } from "./federation/settings.ts"
import { writtenUrl } from "./signing/external-url.ts"
import { tokenSettings } from "./signing/settings.ts"

const webExternalUrl = setting(writtenUrl, {
  flag: "--web.external-url <url>",
  help: "Name this as issuer, as the portal does",
})
const { tokenKeyDir, tokenLifetime } = tokenSettings
const { configDir } = federationSettings
const keyFolder = inGroup("Keys", { tokenKeyDir, configDir })
/** Of commands that request sites with tokens that the portal signs. */
const signing = inGroup("Tokens that the portal signs", { webExternalUrl, tokenKeyDir, configDir })

/** The portal's commands. What they need to run is loaded only when they do. */
export const portal = component({
  settings: {
    ...federationSettings,
    ...tokenSettings,
    ...webSettings(":8090"),
    webExternalUrl: setting(writtenUrl, {
      group: "Web server",
      flag: "--web.external-url <url>",
      help: "Lead alerts and dashboards to the page by this URL, and name it as issuer in tokens",
    }),
    pushUrl: setting(httpUrl, {
      group: "Web server",
      flag: "--push.url <url>",
      help: "Show this URL to admins of sites that push, as that of fedstack tenancy-proxy",
    }),
    ...doorSettings,
    ...accessSettings,
  },
  example: "fedstack portal --sites.file sites.yaml --prometheus.url http://localhost:9090",
  docs: "portal.md",
  run: async (values, context) => (await import("./start.ts")).startPortal(values, context),
})

export const issueToken = component({
  settings: {
    ...inGroup("Token", {
      webExternalUrl,
      tokenLifetime,
      match: settings(
        text,
        { flag: "--match <selector>", help: "Narrow what it may read to this; may be repeated", env: [] },
        [],
      ),
    }),
    ...keyFolder,
  },
  argument: { notation: "<audience>", help: "for whom it is, as the policy of the site says" },
  example: "fedstack token issue site-a --web.external-url https://portal.example.org",
  docs: "tokens.md",
  once: () => true,
  run: async (values, context, audience) => (await import("./signing/issue.ts")).issueToken(values, context, audience),
})

export const rotateKeys = component({
  settings: {
    now: setting(on, { flag: "--now", help: "Sign with the new key at once", env: [] }, "false"),
    dropOld: setting(
      on,
      { flag: "--drop-old", help: "No longer publish the other keys, so that their tokens are refused", env: [] },
      "false",
    ),
    ...keyFolder,
  },
  example: "fedstack token rotate --token.key-dir /var/lib/fedstack-portal-keys",
  docs: "tokens.md#rotate-keys",
  once: () => true,
  async run(values, context) {
    const { rotateKeys: rotate } = await import("./signing/issue.ts")
    await rotate(values, context)
    return undefined
  },
})

export const checkSites = component({
  settings: {
    connect: setting(
      on,
      {
        flag: "--connect",
        help: "Request each site once, as Prometheus would, and report which does not deliver and why",
      },
      "false",
    ),
    prometheusShards: {
      ...federationSettings.prometheusShards,
      help: "Show at which of these Prometheus each site is; may be repeated",
    },
    ...signing,
  },
  argument: { notation: "<file>", help: "the sites file, such as portal/sites.yaml" },
  example: "fedstack check sites portal/sites.yaml",
  docs: "portal.md#list-the-sites",
  once: () => true,
  run: async ({ connect, prometheusShards, ...values }, context, file) =>
    (await import("./federation/check.ts")).checkSites(file, context, connect, prometheusShards, values),
})

export const doctor = component({
  settings: { ...doctorSettings, ...signing },
  argument: { notation: "[site]", help: "the name of a site in the sites file" },
  example: "fedstack doctor site-a --sites.file portal/sites.yaml",
  docs: "portal.md#find-out-why-a-site-does-not-deliver",
  once: () => true,
  run: async (values, context, site) => (await import("./doctor/doctor.ts")).runDoctor(values, context, site),
})
