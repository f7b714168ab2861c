import { ConfigurationError } from "#core/errors.ts"
import { run } from "./run.ts"
import { Leave, State } from "./state.ts"
import { statementsOf } from "./statements.ts"
import { Misplaced } from "./token-reader.ts"
import { READ, Unknown } from "./values.ts"
import { tokensOf, Unfinished } from "./words.ts"

/** A variable that a file sets, or what is to be done so that it does. */
export type OpenrcVariable = ({ readonly value: string } | { readonly unreadable: string }) & {
  readonly line: number
}

export interface Openrc {
  /** Those that are set at the end of the file, by name. */
  readonly variables: ReadonlyMap<string, OpenrcVariable>
  /** Lines with `source` or `eval`, which may set more. */
  readonly unseen: readonly number[]
}

/**
 * The OS_* variables of an openrc file: what a POSIX shell would do with it short of running a command. A variable whose
 * value needs one is unreadable, which is no fault as long as it is not used. `outside` is what is set before: of OS_*
 * variables nothing, as the file is complete by itself. Throws ConfigurationError for what is no shell file; no value is
 * ever shown.
 */
export function parseOpenrc(
  text: string,
  file: string,
  outside: Readonly<Record<string, string | undefined>> = {},
): Openrc {
  const state = new State((name) => (name.startsWith("OS_") ? undefined : outside[name]))
  try {
    run(statementsOf(tokensOf(text.replace(/^\uFEFF/, ""))), state)
  } catch (error) {
    if (error instanceof Unfinished) throw fault(file, error.line, "the quote or bracket that begins here does not end")
    if (error instanceof Misplaced)
      throw fault(file, error.line, "is no shell syntax that can be read. Write NAME='value', a line for each variable")
    if (!(error instanceof Leave)) throw error
  }
  const variables = [...state.own].flatMap(([name, value]): readonly (readonly [string, OpenrcVariable])[] => {
    if (!name.startsWith("OS_") || value === undefined) return []
    return [[name, value instanceof Unknown ? unreadable(name, value) : { value, line: state.lines.get(name) ?? 1 }]]
  })
  return { variables: new Map(variables), unseen: [...state.unseen] }
}

function unreadable(name: string, { line, reason }: Unknown): OpenrcVariable {
  const replace =
    reason === READ
      ? `Replace this line by ${name}='…' and keep the file to yourself (chmod 600), or set ${name} in the environment`
      : `Write the value literally, ${name}='…', in single quotes where it holds $ or a blank`
  return { unreadable: `${name} ${reason}. ${replace}`, line }
}

const fault = (file: string, line: number, message: string): Error =>
  new ConfigurationError([{ where: `${file}:${line}`, message }])
