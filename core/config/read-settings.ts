import { Command, CommanderError, Option } from "commander"
import { UsageError } from "#core/errors.ts"
import { Faults } from "./faults.ts"
import { describe, type Description, helpOption, inOrder, lastSections, layout, WIDTH } from "./help.ts"
import { didYouMean, meant } from "./nearest.ts"
import { longName, partsOf, type SettingOptions, type Settings, type Values, variables, Wrong } from "./settings.ts"
import { isServiceLink } from "./variables.ts"

/** What a command takes. */
export interface Usage<S extends Settings> extends Description {
  readonly settings: S
  /** A positional argument: its notation (`<file>`, or `<file...>` where several may be given) and help. */
  readonly argument?: { readonly notation: string; readonly help: string }
}

interface NamedUsage<S extends Settings> extends Usage<S> {
  /** As typed: `fedstack exporter project-usage`. */
  readonly command: string
  readonly summary: string
}

export type Reading<S extends Settings> =
  | { readonly kind: "help"; readonly text: string }
  | { readonly kind: "values"; readonly values: Values<S>; readonly argument: string; readonly more: readonly string[] }

/**
 * Values of all settings from flags, then environment, then defaults; or the help where it was requested.
 * Throws UsageError with every fault.
 */
export function readSettings<S extends Settings>(
  usage: NamedUsage<S>,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Reading<S> {
  const parsed = parseArguments(usage, argv)
  if (parsed.kind === "help") return parsed
  const faults = new Faults()
  const values: Record<string, unknown> = {}
  for (const [name, definition] of Object.entries(usage.settings)) {
    const { texts, source } = find(definition, parsed.options.get(name), env)
    const value = (values[name] = definition.read(texts, source))
    if (!(value instanceof Wrong)) continue
    const given = JSON.stringify(texts?.map(withoutUser).join(","))
    faults.add(source, definition.flag === undefined ? value.reason : `${value.reason} (is ${given})`)
  }
  faults.orThrow(UsageError)
  return { kind: "values", values: values as Values<S>, argument: parsed.argument, more: parsed.more }
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
  const texts = definition.several ? partsOf(value, definition.separator) : [value]
  return definition.emptyCounts || texts.some((part) => part.trim() !== "") ? texts : undefined
}

function parseArguments(
  usage: NamedUsage<Settings>,
  argv: readonly string[],
):
  | { kind: "help"; text: string }
  | { kind: "options"; options: Map<string, string[]>; argument: string; more: string[] } {
  const options = new Map<string, string[]>()
  let help = ""
  const command = new Command(usage.command)
    .description(usage.summary)
    .exitOverride()
    .showSuggestionAfterError(false)
    .addHelpOption(new Option(helpOption.flags, helpOption.text).helpGroup(helpOption.group))
    .configureHelp(layout)
    .configureOutput({
      writeOut: (chunk) => (help += chunk),
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(process.stdout.columns || WIDTH, WIDTH),
    })
  if (usage.argument === undefined) command.allowExcessArguments(false)
  else command.argument(usage.argument.notation, usage.argument.help)
  for (const [name, definition] of inOrder(usage.settings)) {
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
  command.addHelpText("after", () => lastSections(usage.settings, usage, command.createHelp()))
  try {
    command.parse(argv, { from: "user" })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === "commander.helpDisplayed") return { kind: "help", text: help }
    throw new UsageError([{ where: usage.command, message: explainMisuse(error, command) }])
  }
  const [argument = "", ...more] = command.args
  return { kind: "options", options, argument, more }
}

function explainMisuse({ message }: CommanderError, command: Command): string {
  const text = message
    .replace(/^error: |\.$/g, "")
    // not the value of a misspelt option: it may be a secret
    .replace(/^(unknown option '[^=]*)=.*'/s, "$1'")
    .replaceAll("\n", " ")
  const [, unknown] = /^unknown option '(.*)'$/.exec(text) ?? []
  const flags = command.options.flatMap(({ long }) => long ?? [])
  return `${text}${unknown === undefined ? "" : didYouMean(meant(unknown, flags))}. Its --help lists what it takes`
}
