import type { Component } from "#core/component.ts"
import type { Settings } from "#core/config/settings.ts"
import { exporters } from "./site/exporter/collectors/index.ts"

export interface Entry {
  /** In the help. */
  readonly summary: string
  /** The heading above it in the help. */
  readonly group: string
  /** Loads what describes the command; what it needs to run is loaded when it does. */
  readonly load: () => Promise<Component<Settings>>
}

const ON_COMMAND_LINE = "On the command line"

export const commands: Readonly<Record<string, Entry>> = {
  ...exporters,
  proxy: {
    group: "At a site",
    summary: "Share agreed series of a site's Prometheus, no others",
    load: async () => (await import("./site/proxy/main.ts")).proxy,
  },
  "cluster-identity": {
    group: "At a site",
    summary: "Write a cluster's id, region and credentials as files",
    load: async () => (await import("./site/cluster-identity/main.ts")).clusterIdentity,
  },
  portal: {
    group: "At the portal",
    summary: "Configure the portal's Prometheus from sites.yaml",
    load: async () => (await import("./portal/main.ts")).portal,
  },
  "rules-informer": {
    group: "At the portal",
    summary: "Keep tenants' rules in step with Kubernetes resources",
    load: async () => (await import("./portal/tenancy/rules/main.ts")).rulesInformer,
  },
  "tenancy-exposition": {
    group: "At the portal",
    summary: "Let tenants scrape their series in Cortex or Mimir",
    load: async () => (await import("./portal/tenancy/exposition/main.ts")).tenancyExposition,
  },
  "tenancy-proxy": {
    group: "At the portal",
    summary: "Split remote write by tenant, for Cortex or Mimir",
    load: async () => (await import("./portal/tenancy/remote-write/main.ts")).tenancyProxy,
  },
  doctor: {
    group: ON_COMMAND_LINE,
    summary: "Find out why a site does not deliver, and what to do",
    load: async () => (await import("./portal/main.ts")).doctor,
  },
  "site add": {
    group: ON_COMMAND_LINE,
    summary: "Add a site to sites.yaml, by a portal or in the file",
    load: async () => (await import("./portal/site-command/commands.ts")).addSite,
  },
  "site list": {
    group: ON_COMMAND_LINE,
    summary: "List the sites; those of a portal with their states",
    load: async () => (await import("./portal/site-command/commands.ts")).listSites,
  },
  "site pause": {
    group: ON_COMMAND_LINE,
    summary: "Stop scraping a site, and note who, when and why",
    load: async () => (await import("./portal/site-command/commands.ts")).pauseSite,
  },
  "site resume": {
    group: ON_COMMAND_LINE,
    summary: "Scrape a paused site again",
    load: async () => (await import("./portal/site-command/commands.ts")).resumeSite,
  },
  "site remove": {
    group: ON_COMMAND_LINE,
    summary: "Remove a site from sites.yaml",
    load: async () => (await import("./portal/site-command/commands.ts")).removeSite,
  },
  "check sites": {
    group: ON_COMMAND_LINE,
    summary: "Validate a sites file",
    load: async () => (await import("./portal/main.ts")).checkSites,
  },
  "check policy": {
    group: ON_COMMAND_LINE,
    summary: "Validate a policy, and explain what a client may read",
    load: async () => (await import("./site/proxy/main.ts")).checkPolicy,
  },
  "check tenants": {
    group: ON_COMMAND_LINE,
    summary: "Validate a file of tenants and clients",
    load: async () => (await import("./portal/tenancy/exposition/main.ts")).checkTenants,
  },
  "check senders": {
    group: ON_COMMAND_LINE,
    summary: "Validate who may write, and explain what it writes",
    load: async () => (await import("./portal/tenancy/remote-write/main.ts")).checkSenders,
  },
  "check rules": {
    group: ON_COMMAND_LINE,
    summary: "Validate rules for Prometheus, Cortex or Mimir",
    load: async () => (await import("./portal/tenancy/rules/main.ts")).checkRules,
  },
  "rules diff": {
    group: ON_COMMAND_LINE,
    summary: "Show what the rules informer would change at rulers",
    load: async () => (await import("./portal/tenancy/rules/main.ts")).rulesDiff,
  },
  "token new": {
    group: ON_COMMAND_LINE,
    summary: "Print a new random token and its hash",
    load: async () => (await import("./site/proxy/main.ts")).newToken,
  },
  "token hash": {
    group: ON_COMMAND_LINE,
    summary: "Print the hash by which a proxy's policy knows a token",
    load: async () => (await import("./site/proxy/main.ts")).hashToken,
  },
  "token issue": {
    group: ON_COMMAND_LINE,
    summary: "Print a token that the portal's key signs",
    load: async () => (await import("./portal/main.ts")).issueToken,
  },
  "token rotate": {
    group: ON_COMMAND_LINE,
    summary: "Have the portal sign its tokens with a new key",
    load: async () => (await import("./portal/main.ts")).rotateKeys,
  },
  "token inspect": {
    group: ON_COMMAND_LINE,
    summary: "Show a token's issuer, audience, selectors and expiry",
    load: async () => (await import("./site/proxy/main.ts")).inspectToken,
  },
}

/** Of a group: `token `. */
export const namesIn = (group: string): string[] => Object.keys(commands).filter((name) => name.startsWith(group))

/** Of all commands, or of those of a group. */
export function help(group = ""): string {
  const listed = namesIn(group)
  const width = Math.max(...listed.map((name) => name.length))
  const headings = [...new Set(listed.map((name) => commands[name]?.group ?? ""))]
  const sections = headings.map((heading) => {
    const names = listed.filter((name) => commands[name]?.group === heading)
    const lines = names.map((name) => `  ${name.padEnd(width)}  ${commands[name]?.summary}`)
    return `${heading}:\n${lines.join("\n")}`
  })
  return `fedstack: metrics of many sites in one portal; each site decides what it shares

Usage: fedstack COMMAND [OPTION ...]

${sections.join("\n\n")}

  fedstack COMMAND --help  lists flags, defaults and environment variables
  fedstack --version       shows the version

Documentation: docs/README.md
`
}
