import type { Help } from "commander"
import { type Settings, type SettingOptions, variables } from "./settings.ts"

/** Columns of the help at most. */
export const WIDTH = 80

/** What the help says of a command beside its settings. */
export interface Description {
  /** A whole command line; a line that would be longer than the help is continued on the next one with a backslash. */
  readonly example?: string
  /** Where more is said: a page below docs/, and a heading in it: `policy.md#rotation`. */
  readonly docs?: string
}

/** Groups that stand behind all others, in this order: most readers look for what a command is for. */
const LAST = ["Web server", "Log", "Fake cloud"]
const HELP_GROUP = "Help:"
const INDENT = " ".repeat(6)

/** The settings in the order of the help: their groups as they first come, within a group shorthands last. */
export function inOrder(settings: Settings): readonly (readonly [name: string, definition: SettingOptions])[] {
  const entries = Object.entries(settings)
  const groups = [...new Set(entries.map(([, { group = "" }]) => group))]
  const rank = ({ group = "", shorthand }: SettingOptions): number =>
    (groups.indexOf(group) + (LAST.indexOf(group) + 1) * groups.length) * 2 + (shorthand === true ? 1 : 0)
  return entries.toSorted(([, a], [, b]) => rank(a) - rank(b))
}

/** The flag on a line of its own and its text below it: names of flags and variables are too long for two columns. */
export const layout: Partial<Help> = {
  formatItem: (term, _, description, helper) => item(term, description, helper),
}

function item(term: string, text: string, helper: Help): string {
  const lines = helper.boxWrap(text, (helper.helpWidth ?? WIDTH) - INDENT.length).split("\n")
  return `  ${term}\n${lines.map((line) => INDENT + line).join("\n")}`
}

export const helpOption = { flags: "-h, --help", text: "Show this help", group: HELP_GROUP }

export function describe(definition: SettingOptions): string {
  const notes = [
    ...(definition.defaultText === undefined ? [] : [`default: ${definition.defaultText}`]),
    ...(variables(definition).length === 0 ? [] : [`env: ${variables(definition).join(" or ")}`]),
  ]
  return notes.length === 0 ? definition.help : `${definition.help} (${notes.join(", ")})`
}

/** Variables without a flag, the example, and where more is said. */
export function lastSections(settings: Settings, { example, docs }: Description, helper: Help): string {
  const secrets = Object.values(settings)
    .filter(({ flag }) => flag === undefined)
    .map((definition) => item(variables(definition).join(", "), definition.help, helper))
  return [
    ...(secrets.length === 0 ? [] : ["", "Environment only (secrets):", ...secrets]),
    ...(example === undefined ? [] : ["", "Example:", ...continued(example)]),
    ...(docs === undefined ? [] : ["", `Documentation: docs/${docs}`]),
  ].join("\n")
}

/** A command line over as many lines as it needs, broken before flags and arguments, as a shell takes it. */
function continued(example: string): readonly string[] {
  const lines: string[] = []
  let line = " "
  for (const part of example.match(/--?\S+(?: (?!-)(?:'[^']*'|\S+))*|\S+/g) ?? []) {
    if (line.trim() !== "" && line.length + part.length + 3 > WIDTH) {
      lines.push(`${line} \\`)
      line = "   "
    }
    line += ` ${part}`
  }
  return [...lines, line]
}
