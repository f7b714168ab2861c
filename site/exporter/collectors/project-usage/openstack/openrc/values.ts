import type { Piece, Word } from "./words.ts"

/** A value that only a shell or another program knows. */
export class Unknown {
  /** Where it arises. */
  readonly line: number
  /** What happens there: "is read from a terminal". */
  readonly reason: string
  constructor(line: number, reason: string) {
    this.line = line
    this.reason = reason
  }
}

/** Of a variable; undefined where it is not set. */
export type Value = string | Unknown | undefined

export interface Variables {
  get(name: string): Value
  set(name: string, value: Value): void
}

export const BY_COMMAND = "is made by a command, and no command is run"

/**
 * The value of a word, as an assignment takes it. `unset` is what a variable has that is not set: a shell takes it for
 * empty, which in a credential is never meant.
 */
export function valueOf({ pieces, line }: Word, variables: Variables, unset?: ""): string | Unknown {
  let text = ""
  for (const [index, piece] of pieces.entries()) {
    const home = index === 0 ? inHome(piece, pieces.length, variables) : undefined
    const value = home ?? pieceValue(piece, line, variables, unset)
    if (value instanceof Unknown) return value
    text += value
  }
  return text
}

/** `~` and `~/…`; that of another user is not known here. */
function inHome(piece: Piece, count: number, variables: Variables): string | undefined {
  if (piece.kind !== "text" || piece.quoted) return undefined
  const [found, rest = ""] = /^~($|\/.*$)/.exec(piece.text) ?? []
  const home = variables.get("HOME")
  const isWhole = rest !== "" || count === 1
  return found !== undefined && isWhole && typeof home === "string" ? `${home}${rest}` : undefined
}

function pieceValue(piece: Piece, line: number, variables: Variables, unset: "" | undefined): string | Unknown {
  if (piece.kind === "text") return piece.text
  if (piece.kind === "unknown") return new Unknown(line, BY_COMMAND)
  const { name, expansion } = piece
  const value = variables.get(name)
  if (value instanceof Unknown) return via(name, value, line)
  if (expansion === undefined) return value ?? unset ?? new Unknown(line, `uses $${name}, which is not set`)
  const isSet = value !== undefined && !(expansion.orEmpty && value === "")
  const instead = (): string | Unknown => valueOf({ kind: "word", pieces: expansion.word, line }, variables, unset)
  if (expansion.operator === "+") return isSet ? instead() : ""
  if (isSet) return value
  if (expansion.operator === "?") return new Unknown(line, `uses $${name}, which is not set`)
  const fallback = instead()
  if (expansion.operator === "=") variables.set(name, fallback)
  return fallback
}

function via(name: string, { line: root, reason }: Unknown, line: number): Unknown {
  // a copy of a prompt's result: the prompt is what is to be replaced
  if (reason === READ) return new Unknown(root, reason)
  return new Unknown(line, `uses $${name}, which ${reason}${root === line ? "" : ` (line ${root})`}`)
}

export const READ = "is read from a terminal, and there is none"

/** The words that an unquoted expansion is split into. */
export function wordsOf(word: Word, variables: Variables): readonly (string | Unknown)[] {
  const value = valueOf(word, variables, "")
  const isSplit = word.pieces.some((piece) => piece.kind !== "text" && !("quoted" in piece && piece.quoted))
  if (value instanceof Unknown || !isSplit) return [value]
  return value.split(/\s+/).filter((part) => part !== "")
}
