import { parseArgs } from "node:util"

/** A whole number that a tool can be told by a flag. */
export interface NumberFlag {
  readonly help: string
  readonly default: number
  readonly least: number
}

/** A flag that repeats what a run drew by chance. */
export const seedFlag = (): NumberFlag => ({
  help: "repeats the run that printed it; another one each time if not given",
  default: Date.now() % 2 ** 32,
  least: 0,
})

/**
 * What one of the developers' tools was told. `--help` and what can't be understood end the process here, with 0 and
 * with one line and 2.
 */
export function readNumbers<const Name extends string>(
  tool: string,
  about: string,
  flags: Readonly<Record<Name, NumberFlag>>,
): Readonly<Record<Name, number>> {
  const names = Object.keys(flags) as Name[]
  try {
    const options = Object.fromEntries(names.map((name) => [name, { type: "string" }] as const))
    const { values } = parseArgs({ options: { ...options, help: { type: "boolean" } } })
    if (values.help === true) {
      process.stdout.write(helpOf(tool, about, flags))
      process.exit(0)
    }
    const given: Readonly<Record<string, unknown>> = values
    return Object.fromEntries(
      names.map((name) => [name, given[name] === undefined ? flags[name].default : numberOf(given[name], name, flags)]),
    ) as Record<Name, number>
  } catch (error) {
    // of parseArgs' messages the first sentence says what is wrong
    const reason = error instanceof Error ? (error.message.split(/\.(?:\s|$)/, 1)[0] ?? "") : String(error)
    process.stderr.write(`${tool}: ${reason}. '${tool} --help' lists the options.\n`)
    return process.exit(2)
  }
}

function numberOf<Name extends string>(text: unknown, name: Name, flags: Readonly<Record<Name, NumberFlag>>): number {
  const { least } = flags[name]
  if (typeof text === "string" && /^\d+$/.test(text) && Number.isSafeInteger(Number(text)) && Number(text) >= least) {
    return Number(text)
  }
  throw new Error(`--${name} must be a whole number, ${least} at least`)
}

function helpOf(tool: string, about: string, flags: Readonly<Record<string, NumberFlag>>): string {
  const lines = Object.entries(flags).map(([name, { help }]) => `  ${`--${name} N`.padEnd(16)}${help}\n`)
  return `${tool}: ${about}\n${lines.join("")}  ${"--help".padEnd(16)}this text\n`
}
