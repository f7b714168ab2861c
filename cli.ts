import { flushCompileCache } from "node:module"
import type { Component, Running } from "#core/component.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Settings } from "#core/config/settings.ts"
import { exporters } from "./site/exporter/collectors/index.ts"

interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ readonly command: Component<Settings> }>
}

/** Every subcommand with its line in the help. A component is loaded only when it runs. */
const commands: Readonly<Record<string, Entry>> = {
  ...exporters,
  proxy: {
    summary: "lets a portal read the agreed series of a site's Prometheus, and nothing else",
    load: () => import("./site/proxy/main.ts"),
  },
  portal: {
    summary: "writes the portal's Prometheus configuration from sites.yaml and reloads it",
    load: () => import("./portal/main.ts"),
  },
  "check sites": {
    summary: "validates a sites.yaml and ends",
    load: () => import("./portal/federation/check.ts"),
  },
  "check policy": {
    summary: "validates a proxy's policy, and tells what a client may read and why",
    load: () => import("./site/proxy/check.ts"),
  },
  "token new": {
    summary: "prints a new random token and its hash",
    load: () => import("./site/proxy/token/new.ts"),
  },
  "token hash": {
    summary: "prints the hash by which a proxy's policy knows a token",
    load: () => import("./site/proxy/token/hash.ts"),
  },
  "token inspect": {
    summary: "shows what a token says: issuer, audience, selectors, expiry",
    load: () => import("./site/proxy/token/inspect.ts"),
  },
}

/** Seconds after which a process that was told to end does so, whatever it waits for. Longer than any close of its own. */
const END_DEADLINE = 15

async function main(argv: readonly string[]): Promise<void> {
  if (argv[0] === "help" && argv.length > 1) return main([...argv.slice(1), "--help"])
  if (argv.length === 0 || argv[0] === "-h" || argv[0] === "--help" || argv[0] === "help") return print(help())
  if (argv[0] === "--version") return print(await version())
  const name = Object.keys(commands).find((words) => words.split(" ").every((word, index) => argv[index] === word))
  const entry = name === undefined ? undefined : commands[name]
  if (name === undefined || entry === undefined) {
    const [group = "", asked = ""] = argv
    if (isGroup(group) && (asked === "-h" || asked === "--help")) return print(help(`${group} `))
    return unknownCommand(argv)
  }
  const rest = argv.slice(name.split(" ").length)
  if (rest[0] === "--version") return print(await version())
  await runCommand(name, entry, rest)
}

async function runCommand(name: string, entry: Entry, argv: readonly string[]): Promise<void> {
  const ending = new AbortController()
  let running: Running | undefined
  let log: Logger | undefined = undefined
  let once = false
  const end = (signal: NodeJS.Signals): void => {
    if (ending.signal.aborted) process.exit(1) // told twice: at once
    log?.info({ signal }, "ending")
    if (once) process.exit(1)
    setTimeout(() => process.exit(1), END_DEADLINE * 1000).unref()
    ending.abort()
    if (running !== undefined) void finish(running)
  }
  // before anything is loaded: the first process of a container is not ended by a signal that it does not handle
  process.on("SIGTERM", end).on("SIGINT", end)
  process.on("SIGHUP", () => void running?.reload?.())

  const [{ command }, { readSettings, setting, oneOf, variables }, { createLogger, LOG_LEVELS, LOG_FORMATS }, known] =
    await Promise.all([
      entry.load(),
      import("#core/config/settings.ts"),
      import("#core/log/logger.ts"),
      import("#core/config/variables.ts"),
    ])
  const logSettings = {
    logLevel: setting(
      oneOf(LOG_LEVELS),
      { flag: "--log.level <level>", help: `one of ${LOG_LEVELS.join(", ")}` },
      "info",
    ),
    logFormat: setting(
      oneOf(LOG_FORMATS),
      { flag: "--log.format <format>", help: `one of ${LOG_FORMATS.join(", ")}` },
      "logfmt",
    ),
  }
  const reading = readSettings(
    {
      command: `fedstack ${name}`,
      summary: entry.summary,
      settings: { ...command.settings, ...logSettings },
      ...(command.argument === undefined ? {} : { argument: command.argument }),
    },
    argv,
    process.env,
  )
  if (reading.kind === "help") return print(reading.text)
  const { values, argument } = reading
  log = createLogger({ level: values.logLevel, format: values.logFormat }, name, (line) => process.stderr.write(line))
  for (const unknown of known.unknownVariables(process.env))
    log.warn(unknown, "no setting has this name: ignored, unless a configuration file names it")
  for (const variable of Object.values(command.settings).flatMap(variables))
    if (known.isServiceLink(variable, process.env[variable]))
      log.debug({ variable }, "ignored: Kubernetes' link to a Service")

  once = command.once?.(values) === true
  if (ending.signal.aborted) process.exit(once ? 1 : 0)
  try {
    running = await command.run(
      values,
      { log, signal: ending.signal, print, now: () => new Date(), env: process.env },
      argument,
    )
  } catch (error) {
    if (!ending.signal.aborted) throw error
    process.exit(0) // what was starting has stopped
  }
  if (running === undefined) return
  if (ending.signal.aborted) return finish(running)
  flushCompileCache()
}

async function finish(running: Running): Promise<void> {
  try {
    await running.close()
    process.exit(0)
  } catch (error) {
    return fail(error)
  }
}

function isGroup(word: string): boolean {
  return Object.keys(commands).some((name) => name.startsWith(`${word} `))
}

/** Of all commands, or of those of a group. */
function help(group = ""): string {
  const listed = Object.entries(commands).filter(([name]) => name.startsWith(group))
  const width = Math.max(...listed.map(([name]) => name.length))
  const lines = listed.map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`)
  return `fedstack: metrics of many sites in one portal, where every site decides exactly what it shares

Usage: fedstack COMMAND [OPTION ...]

Commands:
${lines.join("\n")}

  fedstack COMMAND --help  lists a command's flags, their defaults and environment variables
  fedstack --version       shows the version
`
}

function unknownCommand(argv: readonly string[]): never {
  const [first = "", second = ""] = argv
  const group = Object.keys(commands).filter((name) => name.startsWith(`${first} `))
  const message =
    group.length > 0
      ? `fedstack ${first} needs one of: ${group.map((name) => name.slice(first.length + 1)).join(", ")}`
      : `fedstack has no command ${JSON.stringify(`${first} ${second}`.trim())}; 'fedstack --help' lists them`
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

/** Says why on standard error and ends: 2 for wrong flags or variables, 1 for everything else. */
async function fail(error: unknown): Promise<never> {
  const { ConfigurationError, explain, FedstackError, UsageError } = await import("#core/errors.ts")
  if (error instanceof UsageError || error instanceof ConfigurationError) {
    for (const { where, message } of error.faults) process.stderr.write(`${where}: ${message}\n`)
    process.exit(error.exitCode)
  }
  const unexpected = !(error instanceof FedstackError) && error instanceof Error
  process.stderr.write(`fedstack: ${explain(error)}\n${unexpected ? `${error.stack}\n` : ""}`)
  process.exit(1)
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0) // who reads has gone, as in `fedstack --help | head -1`
  process.stderr.write(`fedstack: can't write to standard output: ${error.message}\n`)
  process.exit(1)
})
// a log that can't be written, on a full disk or to a reader that has gone, ends nothing that serves; nor can it be told
process.stderr.on("error", () => undefined)
await main(process.argv.slice(2)).catch(fail)
