import type { Statement } from "./statements.ts"
import { BY_COMMAND, READ, Unknown, type Value, valueOf, wordsOf } from "./values.ts"
import { Leave, type State, type Status } from "./state.ts"
import type { Piece, Word } from "./words.ts"

type Command = Statement & { kind: "command" }
type Arguments = readonly (string | Unknown)[]

/**
 * Runs what a shell does itself and changes variables by. Nothing else is run: whether that succeeds is not known. `run` runs
 * the body of a function.
 */
export function runCommand({ words, line }: Command, state: State, run: (body: Statement) => Status): Status {
  const count = words.findIndex((word) => assignmentIn(word) === undefined)
  const assignments = (count < 0 ? words : words.slice(0, count)).flatMap((word) => assignmentIn(word) ?? [])
  const [name, ...rest] = count < 0 ? [] : words.slice(count)
  if (name === undefined) {
    for (const assignment of assignments) assign(assignment, state)
    return true
  }
  // they are the command's own; only what is expanded in them stays
  for (const { value } of assignments) valueOf(value, state)
  const command = valueOf(name, state)
  if (command instanceof Unknown) return unseen(line, state)
  if (DECLARING.has(command)) return declare(rest, state)
  if (command === "[[") return testExtended(rest.slice(0, -1), state)
  const given = rest.flatMap((word) => wordsOf(word, state))
  const body = state.functions.get(command)
  if (body !== undefined) return call(body, state, run)
  return Object.hasOwn(BUILTINS, command) ? BUILTINS[command]?.(given, state, line) : undefined
}

/** How deep functions may call each other: a file in which they do so for ever must end. */
const DEPTH = 50

function call(body: Statement, state: State, run: (body: Statement) => Status): Status {
  if (state.depth >= DEPTH) return undefined
  state.depth += 1
  try {
    return run(body)
  } catch (error) {
    if (error instanceof Leave && error.what === "function") return undefined
    throw error
  } finally {
    state.depth -= 1
  }
}

interface Assignment {
  readonly name: string
  readonly isAppended: boolean
  readonly value: Word
}

/** `NAME=value` and `NAME+=value`. */
function assignmentIn(word: Word): Assignment | undefined {
  const [first, ...others] = word.pieces
  if (first?.kind !== "text" || first.quoted) return undefined
  const [, name, operator, begin = ""] = /^([A-Za-z_]\w*)(\+?=)([^]*)$/.exec(first.text) ?? []
  if (name === undefined) return undefined
  const start: readonly Piece[] = begin === "" ? [] : [{ kind: "text", text: begin, quoted: false }]
  return { name, isAppended: operator === "+=", value: { ...word, pieces: [...start, ...others] } }
}

const assign = (assignment: Assignment, state: State): void =>
  setTo(assignment, assignedValue(assignment, state), state)

function assignedValue({ name, value: word }: Assignment, state: State): Value {
  // the dashboard's file copies what its prompt read: where the prompt was replaced by the value itself, that stays
  const [only, ...more] = word.pieces
  const isCopy = only?.kind === "variable" && only.name === `${name}_INPUT` && more.length === 0
  return isCopy && state.get(only.name) === undefined ? (state.get(name) ?? valueOf(word, state)) : valueOf(word, state)
}

function setTo({ name, isAppended, value: { line } }: Assignment, value: Value, state: State): void {
  const before = state.get(name)
  state.lines.set(name, line)
  if (!isAppended || value instanceof Unknown) state.set(name, value)
  else state.set(name, before instanceof Unknown ? before : `${before ?? ""}${value ?? ""}`)
}

const DECLARING: ReadonlySet<string> = new Set(["export", "declare", "typeset", "local", "readonly"])

function declare(words: readonly Word[], state: State): Status {
  const assignments = words.flatMap((word) => assignmentIn(word) ?? [])
  // a shell expands all arguments of a command before it runs it
  const values = assignments.map((assignment) => assignedValue(assignment, state))
  for (const [index, assignment] of assignments.entries()) setTo(assignment, values[index], state)
  return true
}

const unset = (names: Arguments, state: State, line: number): Status => {
  for (const name of names) {
    if (!(name instanceof Unknown)) {
      if (!name.startsWith("-")) state.set(name, undefined)
      continue
    }
    for (const [own, value] of state.own)
      if (value !== undefined) state.set(own, new Unknown(line, "may be unset by the name that a command makes"))
  }
  return true
}

const read = (names: Arguments, state: State, line: number): Status => {
  for (const name of names)
    if (typeof name === "string" && /^[A-Za-z_]\w*$/.test(name)) state.set(name, new Unknown(line, READ))
  return undefined
}

const printf = ([option, name]: Arguments, state: State, line: number): Status => {
  if (option === "-v" && typeof name === "string") state.set(name, new Unknown(line, BY_COMMAND))
  return true
}

function unseen(line: number, state: State): Status {
  state.unseen.add(line)
  return undefined
}

/** `test`, without what concerns files and numbers. */
function test(given: Arguments): Status {
  const [first, second, third, ...more] = given
  if (given.some((one) => one instanceof Unknown)) return undefined
  if (first === "!" && given.length > 1) {
    const status = test(given.slice(1))
    return status === undefined ? undefined : !status
  }
  if (given.length < 2) return first !== undefined && first !== ""
  if (given.length === 2) return first === "-z" ? second === "" : first === "-n" ? second !== "" : undefined
  if (more.length > 0) return undefined
  return second === "=" || second === "==" ? first === third : second === "!=" ? first !== third : undefined
}

/** The same between double brackets, where nothing is split, and what is compared with may be a pattern. */
function testExtended(words: readonly Word[], state: State): Status {
  const last = words.at(-1)
  const isPattern = last?.pieces.some(
    (piece) => piece.kind !== "text" || (!piece.quoted && /[*?[\\(]/.test(piece.text)),
  )
  const given = words.map((word) => valueOf(word, state, ""))
  return words.length > 2 && isPattern === true ? undefined : test(given)
}

const succeed = (): Status => true
const leave = (what: Leave["what"]) => (): never => {
  throw new Leave(what)
}

type Builtin = (given: Arguments, state: State, line: number) => Status

const BUILTINS: Readonly<Record<string, Builtin>> = {
  ":": succeed,
  true: succeed,
  false: () => false,
  echo: succeed,
  set: succeed,
  shopt: succeed,
  alias: succeed,
  printf,
  unset,
  read,
  test,
  "[": (given) => (given.at(-1) === "]" ? test(given.slice(0, -1)) : undefined),
  ".": (_, state, line) => unseen(line, state),
  source: (_, state, line) => unseen(line, state),
  eval: (_, state, line) => unseen(line, state),
  return: leave("function"),
  exit: leave("file"),
  continue: leave("round"),
  break: leave("loop"),
}
