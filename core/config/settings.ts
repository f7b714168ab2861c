import { parseDuration, parseSize } from "./units.ts"

/** Turns the text of a flag or variable into a value, or half a sentence on what is wrong: "must be a whole number". */
export type Parse<T> = (text: string) => T | Wrong
export class Wrong {
  readonly reason: string
  constructor(reason: string) {
    this.reason = reason
  }
}

export interface SettingOptions {
  /** Commander's notation, such as `-i, --update-interval <seconds>`. Without one the setting is a variable only (secrets). */
  readonly flag?: string
  /** Begins with a verb: `Listen on this address`. */
  readonly help: string
  /** A heading in the help over all settings that have the same; only a command with few flags goes without. */
  readonly group?: string
  /** Another spelling of another setting, such as `--debug`: the last of its group. */
  readonly shorthand?: boolean
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
  /** `source`: the flag or variable that the texts come from. */
  readonly read: (texts: readonly string[] | undefined, source?: string) => T | Wrong
}

export type Settings = Readonly<Record<string, Setting<unknown>>>
export type Values<S extends Settings> = { readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never }

/** A setting of one value. Without a `fallback` it is undefined where it is not set. */
export function setting<T>(parse: Parse<T>, options: SettingOptions): Setting<T | undefined>
export function setting<T>(parse: Parse<T>, options: SettingOptions, fallback: string): Setting<T>
export function setting<T>(parse: Parse<T>, options: SettingOptions, fallback?: string): Setting<T | undefined> {
  return {
    ...(fallback ? { defaultText: fallback } : {}),
    ...options,
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
    ...(fallback.length > 0 ? { defaultText: fallback.join(", ") } : {}),
    ...options,
    several: true,
    read: (texts) => parseAll(texts ?? fallback, parse),
  }
}

/** A list without repetitions, separated by commas within a flag too; an empty flag is an empty list. */
export function list<T>(parse: Parse<T>, options: SettingOptions, fallback: readonly string[]): Setting<readonly T[]> {
  return {
    ...settings(text, options, fallback),
    read: (texts) => parseAll([...new Set((texts ?? fallback).flatMap((part) => partsOf(part)))], parse),
  }
}

/** The values of all texts, or what is wrong with the first that is. */
export function parseAll<T>(texts: readonly string[], parse: Parse<T>): readonly T[] | Wrong {
  const values = texts.map((text) => parse(text))
  return values.find((value) => value instanceof Wrong) ?? (values as readonly T[])
}

/** These settings, below one heading in the help. */
export function inGroup<const S extends Settings>(group: string, all: S): S {
  return Object.fromEntries(Object.entries(all).map(([name, definition]) => [name, { ...definition, group }])) as S
}

export interface Tracked<T> {
  readonly value: T
  /** Neither a flag nor a variable set it. */
  readonly isDefault: boolean
  /** The flag or variable that set it. */
  readonly source: string
}

/** The same setting, with what set it. */
export function tracked<T>(definition: Setting<T>): Setting<Tracked<T>> {
  return {
    ...definition,
    read: (texts, source = "") => {
      const value = definition.read(texts, source)
      return value instanceof Wrong ? value : { value, isDefault: texts === undefined, source }
    },
  }
}

/** The parts of a list, without empty ones. */
export const partsOf = (text: string, separator = ","): readonly string[] =>
  text
    .split(separator)
    .map((part) => part.trim())
    .filter((part) => part !== "")

export const text: Parse<string> = (value) => value
export const trimmed: Parse<string> = (value) => value.trim()
// blanks around these mean nothing: env files, here-documents and YAML leave them at the end
export const on: Parse<boolean> = (value) => {
  if (/^(?:true|t|1|yes|y|on)$/i.test(value.trim())) return true
  if (/^(?:false|f|0|no|n|off)$/i.test(value.trim())) return false
  return new Wrong("must be true or false")
}
export const oneOf =
  <const T extends string>(choices: readonly T[]): Parse<T> =>
  (value) =>
    choices.find((choice) => choice === value.trim()) ?? new Wrong(`must be one of ${choices.join(", ")}`)
export const whole =
  (least: number, most: number): Parse<number> =>
  (value) => {
    const number = /^\d+$/.test(value.trim()) ? Number(value) : Number.NaN
    return number >= least && number <= most ? number : new Wrong(`must be a whole number from ${least} to ${most}`)
  }
/** Seconds that a timer takes: one of more milliseconds than 2^31 would be over at once. */
const LONGEST = 24 * 86_400
/** Seconds. `most` may be more than a timer accepts where the caller has a bound of its own. */
export const duration =
  (least: number, most = LONGEST): Parse<number> =>
  (value) => {
    const seconds = parseDuration(value.trim())
    if (seconds === undefined) return new Wrong("must be a duration such as 30s, 1m30s or a number of seconds")
    if (seconds > most) return new Wrong(`must be at most ${most / 86_400}d`)
    return seconds >= least ? seconds : new Wrong(`must be at least ${least}s`)
  }
/** Bytes. */
export const size: Parse<number> = (value) =>
  parseSize(value.trim()) ?? new Wrong("must be a size such as 256MiB or 1000000")
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
  const [, bracketed, host, port] =
    /^(?:\[([\da-fA-F:.]+(?:%[\w.-]+)?)\]|([^:[\]\s]*)):(\d{1,5})$/.exec(value.trim()) ?? []
  if (port === undefined || Number(port) > 65_535)
    return new Wrong("must be HOST:PORT or :PORT, such as 127.0.0.1:8080")
  return { host: bracketed ?? host ?? "", port: Number(port) }
}

/** The flag's long name without dashes: `web.listen-address`. */
export const longName = (flag: string): string => /--([\w.-]+)/.exec(flag)?.[1] ?? ""

export const variableOf = (prefix: string, flag: string): string =>
  `${prefix}_${longName(flag).replaceAll(/[.-]/g, "_").toUpperCase()}`

export const variables = ({ env, flag }: SettingOptions): readonly string[] =>
  env ?? (flag === undefined ? [] : [variableOf("FEDSTACK", flag)])
