import { runCommand } from "./commands.ts"
import { Leave, type State, type Status } from "./state.ts"
import type { Statement } from "./statements.ts"
import { bareText } from "./token-reader.ts"
import { Unknown, wordsOf } from "./values.ts"
import type { Word } from "./words.ts"

/** Runs what changes variables, and no command. */
export function run(statement: Statement, state: State): Status {
  if (statement.kind === "command") return runCommand(statement, state, (body) => run(body, state))
  if (statement.kind === "list") return statement.statements.reduce<Status>((_, one) => run(one, state), true)
  if (statement.kind === "chain") return runChain(statement, state)
  if (statement.kind === "if") return runIf(statement, 0, state)
  if (statement.kind === "for") return runFor(statement, state)
  if (statement.kind === "not") {
    const status = run(statement.statement, state)
    return status === undefined ? undefined : !status
  }
  if (statement.kind === "function") {
    state.functions.set(statement.name, statement.body)
    return true
  }
  if (statement.kind === "maybe") state.maybe(statement.line, () => void run(statement.body, state))
  return undefined
}

const lineOf = (statement: Statement): number => ("line" in statement ? statement.line : (linesIn(statement)[0] ?? 0))

function linesIn(statement: Statement): readonly number[] {
  if (statement.kind === "list") return statement.statements.map(lineOf)
  if (statement.kind === "chain") return [lineOf(statement.first)]
  if (statement.kind === "not") return [lineOf(statement.statement)]
  if (statement.kind === "if") return statement.branches.map(({ condition }) => lineOf(condition))
  return statement.kind === "for" || statement.kind === "function" ? [lineOf(statement.body)] : []
}

function runChain({ first, rest }: Statement & { kind: "chain" }, state: State): Status {
  let status = run(first, state)
  for (const { operator, statement } of rest) {
    if (status === undefined) state.maybe(lineOf(statement), () => void run(statement, state))
    else if (status === (operator === "&&")) status = run(statement, state)
  }
  return status
}

function runIf(statement: Statement & { kind: "if" }, from: number, state: State): Status {
  const branch = statement.branches[from]
  if (branch === undefined) return statement.otherwise === undefined ? true : run(statement.otherwise, state)
  const status = run(branch.condition, state)
  if (status === true) return run(branch.body, state)
  if (status === false) return runIf(statement, from + 1, state)
  state.maybe(
    lineOf(branch.condition),
    () => void run(branch.body, state),
    () => void runIf(statement, from + 1, state),
  )
  return undefined
}

function runFor({ name, words, body }: Statement & { kind: "for" }, state: State): Status {
  const values = words.flatMap((word) => (hasPattern(word) ? [new Unknown(word.line, "")] : wordsOf(word, state)))
  for (const value of values) {
    if (value instanceof Unknown) {
      state.maybe(value.line, () => {
        state.set(name, new Unknown(value.line, "is in a list that a command makes, and no command is run"))
        run(body, state)
      })
      continue
    }
    state.set(name, value)
    try {
      run(body, state)
    } catch (error) {
      if (error instanceof Leave && error.what === "loop") break
      if (!(error instanceof Leave) || error.what !== "round") throw error
    }
  }
  return undefined
}

/** Names of files, which are not looked for. */
const hasPattern = (word: Word): boolean => /[*?[]/.test(bareText(word) ?? "")
