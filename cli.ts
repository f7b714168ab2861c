import { flushCompileCache } from "node:module"
import type { Component, Running } from "#core/component.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Settings } from "#core/config/settings.ts"
import { exporters } from "./site/exporter/collectors/index.ts"

interface Entry {
  /** In the help. */
  readonly summary: string
  /** The heading above it in the help. */
  readonly group: string
  /** Loads what describes the command; what it needs to run is loaded when it does. */
  readonly load: () => Promise<Component<Settings>>
}

const ON_COMMAND_LINE = "On the command line"

const commands: Readonly<Record<string, Entry>> = {
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

/** Set by developers for dev/ and the tests, for no command. */
const OF_DEVELOPERS = /^FEDSTACK_(?:(?:TEST|DEV)_\w+|PROMETHEUS_(?:DIR|\d+_\d+)|OPA|KUBE|OPENSTACK|CORTEX)$/

/** Seconds from a signal to the end, whatever is waited for. Longer than any close of a component. */
const END_DEADLINE = 15

/** For what ends it. */
let commandName = "fedstack"

async function main(argv: readonly string[]): Promise<void> {
  if (argv[0] === "help" && argv.length > 1) return main([...argv.slice(1), "--help"])
  if (argv.length === 0 || argv[0] === "-h" || argv[0] === "--help" || argv[0] === "help") return print(help())
  if (argv[0] === "--version") return print(await version())
  const [name, entry] =
    Object.entries(commands).find(([words]) => words.split(" ").every((word, index) => argv[index] === word)) ?? []
  if (name === undefined || entry === undefined) {
    const [group = "", flag = ""] = argv
    if (namesIn(`${group} `).length > 0 && (flag === "-h" || flag === "--help")) return print(help(`${group} `))
    return unknownCommand(argv)
  }
  const rest = argv.slice(name.split(" ").length)
  if (rest[0] === "--version") return print(await version())
  await runCommand(name, entry, rest)
}

async function runCommand(name: string, entry: Entry, argv: readonly string[]): Promise<void> {
  commandName = name
  const ending = new AbortController()
  let running: Running | undefined
  let log: Logger | undefined = undefined
  let once = false
  const end = (signal: NodeJS.Signals): void => {
    if (ending.signal.aborted) process.exit(1) // the second signal
    log?.info({ signal }, "ending")
    if (once) process.exit(1)
    setTimeout(() => process.exit(1), END_DEADLINE * 1000).unref()
    ending.abort()
    if (running !== undefined) void finish(running)
  }
  // before anything is loaded: the first process of a container is not ended by a signal that it does not handle
  process.on("SIGTERM", end).on("SIGINT", end)
  process.on("SIGHUP", () => void running?.reload?.())

  const [command, { readSettings }, { logSettings }] = await Promise.all([
    entry.load(),
    import("#core/config/read-settings.ts"),
    import("#core/component.ts"),
  ])
  const settings = { ...command.settings, ...logSettings }
  const reading = readSettings(
    { ...command, settings, command: `fedstack ${name}`, summary: entry.summary },
    argv,
    process.env,
  )
  if (reading.kind === "help") return print(reading.text)
  const { values, argument, more } = reading
  const { createLogger } = await import("#core/log/logger.ts")
  log = createLogger({ level: values.logLevel, format: values.logFormat }, name, (line) => process.stderr.write(line))
  await warnOfVariables(settings, log)

  once = command.once?.(values) === true
  if (ending.signal.aborted) process.exit(once ? 1 : 0)
  try {
    running = await command.run(
      values,
      { log, signal: ending.signal, print, now: () => new Date(), env: process.env },
      argument,
      more,
    )
  } catch (error) {
    if (!ending.signal.aborted) throw error
    process.exit(0) // what was starting has stopped
  }
  if (running === undefined) return
  if (ending.signal.aborted) return finish(running)
  flushCompileCache()
}

/** Logs variables that look like a setting and are none, and links that Kubernetes set in place of one. */
async function warnOfVariables(settings: Settings, log: Logger): Promise<void> {
  const { isServiceLink, unknownVariables } = await import("#core/config/variables.ts")
  const { variables } = await import("#core/config/settings.ts")
  const own = Object.values(settings).flatMap(variables)
  for (const variable of own.filter((name) => isServiceLink(name, process.env[name])))
    log.debug({ variable }, "ignored: Kubernetes' link to a Service")
  const env = Object.fromEntries(Object.entries(process.env).filter(([variable]) => !OF_DEVELOPERS.test(variable)))
  if (unknownVariables(env, own).length === 0) return
  // several commands may be given one file of variables
  const all = await Promise.all(Object.values(commands).map(({ load }) => load()))
  const others = all.flatMap((other) => Object.values(other.settings).flatMap(variables))
  for (const unknown of unknownVariables(env, [...own, ...others]))
    log.warn(unknown, "no setting has this name: ignored, unless a configuration file names it")
}

async function finish(running: Running): Promise<void> {
  try {
    await running.close()
  } catch (error) {
    return fail(error)
  }
  return exit(0)
}

/** Of a group: `token `. */
const namesIn = (group: string): string[] => Object.keys(commands).filter((name) => name.startsWith(group))

/** Of all commands, or of those of a group. */
function help(group = ""): string {
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

async function unknownCommand(argv: readonly string[]): Promise<never> {
  const { didYouMean, meant } = await import("#core/config/nearest.ts")
  const flag = argv.findIndex((word) => word.startsWith("-"))
  const [first = "", second = ""] = argv.slice(0, flag < 0 ? 2 : flag)
  const members = namesIn(`${first} `).map((name) => name.slice(first.length + 1))
  const names = Object.keys(commands)
  const alternatives = [meant(`${first} ${second}`.trim(), names), meant(first, names)]
  const found = members.length > 0 ? meant(second, members) : (alternatives.find(({ length }) => length > 0) ?? [])
  const message =
    flag === 0
      ? `fedstack needs a command before ${argv[0]?.split("=", 1)[0]}; 'fedstack --help' lists them`
      : members.length > 0
        ? `fedstack ${first} needs one of: ${members.join(", ")}${didYouMean(found)}`
        : `fedstack has no command ${JSON.stringify(`${first} ${second}`.trim())}${didYouMean(found)}; 'fedstack --help' lists them`
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

async function version(): Promise<string> {
  const { VERSION } = await import("#core/metrics/registry.ts")
  return `fedstack ${VERSION} (Node ${process.versions.node})\n`
}

function print(text: string): void {
  process.stdout.write(text)
}

/** Writes why to standard error and ends: 2 for wrong flags or variables, 1 for everything else that has no code of its own. */
async function fail(reason: unknown): Promise<never> {
  const { ExitError, FaultsError, FedstackError } = await import("#core/errors.ts")
  const { showFatal } = await import("#core/log/fatal.ts")
  const [, missing] = /^Cannot find package '([^']+)'/.exec(reason instanceof Error ? reason.message : "") ?? []
  const advice = `run 'npm install --omit=dev' in ${import.meta.dirname}`
  const error =
    missing === undefined
      ? reason
      : new FedstackError("PACKAGE_MISSING", 500, `the package ${missing} is not installed: ${advice}`)
  process.stderr.write(showFatal(error, logFormat(), commandName))
  return exit(error instanceof FaultsError || error instanceof ExitError ? error.exitCode : 1)
}

/** As a request for help or the version, also where something else is wrong with the flags. */
function logFormat(): "json" | "logfmt" {
  const given = process.argv
    .join("\n")
    .match(/(?<=^--log\.format(?:=|\n)).*$/gm)
    ?.at(-1)
  return (given ?? process.env.FEDSTACK_LOG_FORMAT) === "json" ? "json" : "logfmt"
}

/** Ends when all that was written has been read, however slowly: a pipe holds 64 KiB, and the rest would be lost. */
async function exit(code: number): Promise<never> {
  const streams = [process.stdout, process.stderr]
  await Promise.all(streams.map((stream) => new Promise((resolve) => stream.write("", resolve))))
  process.exit(code)
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0) // who reads has gone, as in `fedstack --help | head -1`
  process.stderr.write(`fedstack: cannot write to standard output: ${error.message}\n`)
  process.exit(1)
})
// a log that cannot be written, on a full disk or to a reader that has gone, ends nothing that serves; nor can it be logged
process.stderr.on("error", () => undefined)
await main(process.argv.slice(2)).catch(fail)
