import { Command, CommanderError, Option } from "commander"
import { Faults } from "./faults.ts"
import { UsageError } from "#core/errors.ts"
import { parseDuration, parseSize } from "./units.ts"
import { isServiceLink } from "./variables.ts"

/**
 * This room: what users configure. Settings (flags with their variables, whether they were given, the help), configuration
 * files (YAML, TOML, one schema each), and faults with their places. It knows no command and no setting of any.
 */

/** Turns the text of a flag or variable into a value, or half a sentence on what is wrong: "must be a whole number". */
export type Parse<T> = (text: string) => T | Wrong
export class Wrong {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

interface SettingOptions {
  /** Commander's notation, such as `-i, --update-interval <seconds>`. Without one the setting is a variable only (secrets). */
  readonly flag?: string
  /** Begins with a verb: `Listen on this address`. */
  readonly help: string
  /** A heading in the help, over all settings that have the same; `Options` where there is none. */
  readonly group?: string
  /** Variables, the first that is set and not empty counts. Default: FEDSTACK_ and the flag's name. */
  readonly env?: readonly string[]
  /** Shown in the help in place of the default's own text. */
  readonly defaultText?: string
  /** Flags that take several words (`--domain a b`) or may be repeated; their variable is separated by commas. */
  readonly several?: boolean
  /** What separates several values in the variable, where a comma may stand inside a value. */
  readonly separator?: "," | "\n"
  /** An empty variable is a value too, not the same as an unset one. */
  readonly emptyCounts?: boolean
}

export interface Setting<T> extends SettingOptions {
  readonly read: (texts: readonly string[] | undefined) => T | Wrong
}

export type Settings = Readonly<Record<string, Setting<unknown>>>
export type Values<S extends Settings> = { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never }

/** A setting of one value. Without a `fallback` it is undefined where it is not set. */
export function setting<T>(parse: Parse<T>, options: SettingOptions): Setting<T | undefined>
export function setting<T>(parse: Parse<T>, options: SettingOptions, fallback: string): Setting<T>
export function setting<T>(parse: Parse<T>, options: SettingOptions, fallback?: string): Setting<T | undefined> {
  return {
    ...options,
    ...defaultText(options, fallback),
    read: (texts) => {
      const text = texts?.at(-1) ?? fallback
      return text === undefined ? undefined : parse(text)
    },
  }
}

/** A setting that may be given several times. */
export function settings<T>(
  parse: Parse<T>,
  options: SettingOptions,
  fallback: readonly string[],
): Setting<readonly T[]> {
  return {
    ...options,
    ...defaultText(options, fallback.join(", ")),
    several: true,
    read: (texts) => {
      const values: T[] = []
      for (const text of texts ?? fallback) {
        const value = parse(text)
        if (value instanceof Wrong) return value
        values.push(value)
      }
      return values
    },
  }
}

export interface Tracked<T> {
  readonly value: T
  /** Whether neither a flag nor a variable set it. */
  readonly isDefault: boolean
}

/** The same setting, with whether it was set. */
export function tracked<T>(definition: Setting<T>): Setting<Tracked<T>> {
  return {
    ...definition,
    read: (texts) => {
      const value = definition.read(texts)
      return value instanceof Wrong ? value : { value, isDefault: texts === undefined }
    },
  }
}

function defaultText(options: SettingOptions, fallback: string | undefined): { defaultText?: string } {
  const shown = options.defaultText ?? fallback
  return shown === undefined || shown === "" ? {} : { defaultText: shown }
}

export const text: Parse<string> = (value) => value
export const on: Parse<boolean> = (value) => {
  if (/^(?:true|t|1|yes|y|on)$/i.test(value)) return true
  if (/^(?:false|f|0|no|n|off)$/i.test(value)) return false
  return new Wrong("must be true or false")
}
export const oneOf =
  <const T extends string>(choices: readonly T[]): Parse<T> =>
  (value) =>
    choices.find((choice) => choice === value) ?? new Wrong(`must be one of ${choices.join(", ")}`)
export const whole =
  (least: number, most: number): Parse<number> =>
  (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most ? number : new Wrong(`must be a whole number from ${least} to ${most}`)
  }
/** Seconds that a timer takes: one of more milliseconds than 2^31 would be over at once. */
const LONGEST = 24 * 86_400
/** Seconds. `most` may be more than a timer accepts where the caller has a bound of its own. */
export const duration =
  (least: number, most = LONGEST): Parse<number> =>
  (value) => {
    const seconds = parseDuration(value)
    if (seconds === undefined) return new Wrong("must be a duration such as 30s, 1m30s or a number of seconds")
    if (seconds > most) return new Wrong(`must be at most ${most / 86_400}d`)
    return seconds >= least ? seconds : new Wrong(`must be at least ${least}s`)
  }
/** Bytes. */
export const size: Parse<number> = (value) => parseSize(value) ?? new Wrong("must be a size such as 256MiB or 1000000")
/** `shown` is the whole range in words: `from 1KiB to 8GiB`. */
export const between =
  (parse: Parse<number>, least: number, most: number, shown: string): Parse<number> =>
  (value) => {
    const number = parse(value)
    if (number instanceof Wrong || (number >= least && number <= most)) return number
    return new Wrong(`must be ${shown}`)
  }
export const httpUrl: Parse<URL> = (value) => {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol))
    return new Wrong("must be a URL that starts with http:// or https://")
  if (url.username !== "" || url.password !== "") return new Wrong("must not hold a user name or password")
  return url
}

export interface Address {
  readonly host: string
  readonly port: number
}
/** `HOST:PORT`, `:PORT` for all interfaces, `[::1]:PORT`. */
export const listenAddress: Parse<Address> = (value) => {
  const [, bracketed, host, port] = /^(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(value) ?? []
  if (port === undefined || Number(port) > 65_535)
    return new Wrong("must be HOST:PORT or :PORT, such as 127.0.0.1:8080")
  return { host: bracketed ?? host ?? "", port: Number(port) }
}

/** The flag's long name without dashes: `web.listen-address`. */
const longName = (flag: string): string => new Option(flag, "").name()

export function variables(definition: SettingOptions): readonly string[] {
  if (definition.env !== undefined) return definition.env
  return definition.flag === undefined
    ? []
    : [`FEDSTACK_${longName(definition.flag).replaceAll(/[.-]/g, "_").toUpperCase()}`]
}

export interface Usage<S extends Settings> {
  /** As typed: `fedstack exporter project-usage`. */
  readonly command: string
  readonly summary: string
  readonly settings: S
  /** A positional argument: its notation (`<file>`) and help. */
  readonly argument?: { readonly notation: string; readonly help: string }
  /** A whole command line. */
  readonly example?: string
}

export type Reading<S extends Settings> =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "values"; readonly values: Values<S>; readonly argument: string }

/**
 * Values of all settings from flags, then environment, then defaults; or the help where it was requested.
 * Throws UsageError with every fault.
 */
export function readSettings<S extends Settings>(
  usage: Usage<S>,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Reading<S> {
  const given = parseArguments(usage, argv)
  if (given.kind === "help") return given
  const faults = new Faults()
  const values = Object.fromEntries(
    Object.entries(usage.settings).map(([name, definition]) => {
      const { texts, source } = find(definition, given.options.get(name), env)
      const value = definition.read(texts)
      if (!(value instanceof Wrong)) return [name, value]
      const shown =
        definition.flag === undefined ? "" : ` (is ${JSON.stringify((texts ?? []).map(withoutUser).join(","))})`
      faults.add(source, `${value.reason}${shown}`)
      return [name, undefined]
    }),
  )
  faults.orThrow(UsageError)
  return { kind: "values", values: values as Values<S>, argument: given.argument }
}

/** A URL's user name and password are never shown, also where they are misspelt or the scheme is forgotten. */
const withoutUser = (shown: string): string =>
  shown.replace(/^(?:((?:[a-z][\w+.-]*:)?\/\/).*|[^\s{"'/]*:.*)@/is, "$1<secret>@")

function find(
  definition: SettingOptions,
  fromFlag: readonly string[] | undefined,
  env: Readonly<Record<string, string | undefined>>,
): { texts: readonly string[] | undefined; source: string } {
  const flag = definition.flag === undefined ? undefined : `--${longName(definition.flag)}`
  if (fromFlag !== undefined) return { texts: fromFlag, source: flag ?? "" }
  const names = variables(definition)
  for (const name of names) {
    const texts = isServiceLink(name, env[name]) ? undefined : textsOf(definition, env[name])
    if (texts !== undefined) return { texts, source: name }
  }
  return { texts: undefined, source: flag ?? names[0] ?? "" }
}

/** Of a variable; undefined where it is unset, or empty and that is no value. */
function textsOf(definition: SettingOptions, value: string | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  const parts = value.split(definition.separator ?? ",").map((part) => part.trim())
  const texts = definition.several ? parts.filter((part) => part !== "") : [value]
  return definition.emptyCounts || texts.some((part) => part !== "") ? texts : undefined
}

function parseArguments<S extends Settings>(
  usage: Usage<S>,
  argv: readonly string[],
): { kind: "help"; text: string } | { kind: "options"; options: Map<string, string[]>; argument: string } {
  const options = new Map<string, string[]>()
  let help = ""
  const command = new Command(usage.command)
    .description(usage.summary)
    .exitOverride()
    .helpOption("-h, --help", "Show this help")
    .configureOutput({ writeOut: (chunk) => (help += chunk), writeErr: () => undefined })
  if (usage.argument === undefined) command.allowExcessArguments(false)
  else command.argument(usage.argument.notation, usage.argument.help)
  for (const [name, definition] of Object.entries(usage.settings)) {
    if (definition.flag === undefined) continue
    const option = new Option(definition.flag, describe(definition))
    if (definition.group !== undefined) option.helpGroup(`${definition.group}:`)
    const isSwitch = !option.required && !option.optional
    command.addOption(option)
    // commander keeps the last value; every value is wanted, with variadic ones arriving one by one
    command.on(`option:${option.name()}`, (value: string | null) => {
      options.set(name, [...(options.get(name) ?? []), ...(isSwitch ? ["true"] : value === null ? [] : [value])])
    })
  }
  command.addHelpText("after", () => lastSections(usage))
  try {
    command.parse(argv, { from: "user" })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === "commander.helpDisplayed") return { kind: "help", text: help }
    const message = error.message.replace(/^error: |\.$/g, "").replaceAll("\n", " ")
    throw new UsageError([{ where: usage.command, message: `${message}. Its --help lists what it takes` }])
  }
  return { kind: "options", options, argument: command.args[0] ?? "" }
}

function describe(definition: SettingOptions): string {
  const notes = [
    ...(definition.defaultText === undefined ? [] : [`default: ${definition.defaultText}`]),
    ...variables(definition).map((name) => `env: ${name}`),
  ]
  return notes.length === 0 ? definition.help : `${definition.help} (${notes.join(", ")})`
}

/** Variables without a flag, and the example. */
function lastSections({ settings: all, example }: Usage<Settings>): string {
  const secrets = Object.values(all)
    .filter(({ flag }) => flag === undefined)
    .map((definition) => `  ${variables(definition).join(", ")}  ${definition.help}`)
  return [
    ...(secrets.length === 0 ? [] : ["", "Environment only (secrets):", ...secrets]),
    ...(example === undefined ? [] : ["", "Example:", `  ${example}`]),
  ].join("\n")
}
