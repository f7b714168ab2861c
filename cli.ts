import { flushCompileCache } from "node:module"
import type { Running } from "#core/component.ts"
import type { Logger } from "#core/log/logger.ts"
import type { Settings } from "#core/config/settings.ts"
import { commands, help, namesIn, type Entry } from "./commands.ts"

/** Set by developers for dev/ and the tests, for no command. */
const OF_DEVELOPERS =
  /^FEDSTACK_(?:(?:TEST|DEV)_\w+|PROMETHEUS_(?:DIR|\d+_\d+)|OPA|KUBE|OPENSTACK(?:_DATABASES)?|CORTEX)$/

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
