import { Faults } from "#core/config/faults.ts"

const ASSIGNMENT = /^(?:export[ \t]+)?([A-Za-z_]\w*)=(.*)$/
/** What a shell would do something with, outside of quotes. */
const SHELL = /[`$;&|<>()]|^~/

/**
 * The variables of an openrc file: `NAME=value`, with or without `export`, quotes and comments. There is no shell: what
 * would need one is a fault, except for what changes no variable. Throws ConfigurationError with every fault; no value is
 * ever shown.
 */
export function parseOpenrc(text: string, file: string): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {}
  const faults = new Faults()
  text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .forEach((raw, index) => {
      const line = raw.trim()
      const [, name = "", rest = ""] = ASSIGNMENT.exec(line) ?? []
      if (name === "") {
        const message = otherLine(line)
        if (message !== undefined) faults.add(`${file}:${index + 1}`, message)
        return
      }
      // Horizon's file reads the password at a terminal, and then copies it
      if (/^"?\$\{?OS_PASSWORD_INPUT\}?"?$/.test(rest)) {
        const input = variables.OS_PASSWORD_INPUT
        if (input !== undefined) variables[name] = input
        return
      }
      const value = unquote(rest)
      if (value === undefined) {
        const message = `the value of ${name} cannot be read without a shell. Write it literally, in single quotes where it holds $, \` or a blank`
        faults.add(`${file}:${index + 1}`, message)
      } else variables[name] = value
    })
  faults.orThrow()
  return variables
}

/** What is wrong with a line that sets no variable; undefined for one that may stand there. */
function otherLine(line: string): string | undefined {
  if (line === "" || line.startsWith("#")) return undefined
  // of Horizon's file: prompts, exports and resets that change nothing here
  if (/^(?:echo|unset|if \[|fi$|then$|export(?:[ \t]+[A-Za-z_]\w*)+$)/.test(line)) return undefined
  if (/^read\b/.test(line)) {
    const name = /\bOS_\w+/.exec(line)?.[0].replace(/_INPUT$/, "") ?? "the value"
    return `reads ${name} from a terminal, and there is none. Replace this line by ${name}='…', and keep the file to yourself: chmod 600`
  }
  return "is neither NAME=value, with or without export, nor a comment. Shell commands are not run: write the values literally"
}

/** The value as a shell would see it; undefined if a shell would have something to do. */
function unquote(text: string): string | undefined {
  let value = ""
  let rest = text
  while (rest !== "") {
    const single = /^'([^']*)'/.exec(rest)
    const double = /^"((?:[^"\\]|\\.)*)"/.exec(rest)
    const bare = /^(?:[^\s'"\\]|\\.)+/.exec(rest)
    if (single !== null) value += single[1]
    else if (double !== null) {
      if (/(?<!\\)(?:\\\\)*[`$]/.test(double[1] ?? "")) return undefined
      value += (double[1] ?? "").replaceAll(/\\([$`"\\])/g, "$1")
    } else if (bare !== null) {
      if (SHELL.test(bare[0].replaceAll(/\\./g, ""))) return undefined
      value += bare[0].replaceAll(/\\(.)/g, "$1")
    } else return /^\s+(?:#.*)?$/.test(rest) ? value : undefined
    rest = rest.slice((single ?? double ?? bare)?.[0].length)
  }
  return value
}
