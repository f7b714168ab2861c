import { parseArgs } from "node:util"

/** A whole number of a tool's flag. */
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
 * The arguments of one of the developers' tools: numbers, and switches with their help. `--help` and what cannot be understood
 * end the process here, with 0 and with one line and 2.
 */
export function readNumbers<const Name extends string, const Switch extends string = never>(
  tool: string,
  about: string,
  flags: Readonly<Record<Name, NumberFlag>>,
  switches: Readonly<Record<Switch, string>> = {} as Readonly<Record<Switch, string>>,
): Readonly<Record<Name, number> & Record<Switch, boolean>> {
  const [names, switchNames] = [Object.keys(flags) as Name[], Object.keys(switches) as Switch[]]
  try {
    const { values } = parseArgs({
      options: {
        ...Object.fromEntries(names.map((name) => [name, { type: "string" }] as const)),
        ...Object.fromEntries([...switchNames, "help"].map((name) => [name, { type: "boolean" }] as const)),
      },
    })
    const given: Readonly<Record<string, unknown>> = values
    if (given.help === true) {
      process.stdout.write(helpOf(tool, about, flags, switches))
      process.exit(0)
    }
    const number = (name: Name): number =>
      given[name] === undefined ? flags[name].default : numberOf(given[name], name, flags)
    return Object.fromEntries([
      ...names.map((name) => [name, number(name)] as const),
      ...switchNames.map((name) => [name, given[name] === true] as const),
    ]) as Record<Name, number> & Record<Switch, boolean>
  } catch (error) {
    // of parseArgs' messages the first sentence names the fault
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

function helpOf(
  tool: string,
  about: string,
  flags: Readonly<Record<string, NumberFlag>>,
  switches: Readonly<Record<string, string>>,
): string {
  const lines = [
    ...Object.entries(flags).map(([name, { help }]) => [`--${name} N`, help] as const),
    ...Object.entries(switches).map(([name, help]) => [`--${name}`, help] as const),
    ["--help", "this text"] as const,
  ]
  return `${tool}: ${about}\n${lines.map(([name, help]) => `  ${name.padEnd(16)}${help}\n`).join("")}`
}
