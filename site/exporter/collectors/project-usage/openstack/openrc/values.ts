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
export function valueOf(word: Word, variables: Variables, unset?: ""): string | Unknown {
  const segments = segmentsOf(word, variables, unset)
  return segments instanceof Unknown ? segments : segments.map(({ text }) => text).join("")
}

/** The words that a word becomes where unquoted expansions in it are split. */
export function wordsOf(word: Word, variables: Variables): readonly (string | Unknown)[] {
  const segments = segmentsOf(word, variables, "")
  if (segments instanceof Unknown) return [segments]
  const words: string[] = []
  let current: string | undefined
  for (const { text, isSplit } of segments) {
    const [first = "", ...others] = isSplit ? text.split(/[ \t\n]+/) : [text]
    if (!isSplit || first !== "") current = (current ?? "") + first
    for (const other of others) {
      if (current !== undefined) words.push(current)
      current = other === "" ? undefined : other
    }
  }
  return current === undefined ? words : [...words, current]
}

interface Segment {
  readonly text: string
  readonly isSplit: boolean
}

function segmentsOf({ pieces, line }: Word, variables: Variables, unset: "" | undefined): readonly Segment[] | Unknown {
  const segments: Segment[] = []
  let unknown: Unknown | undefined
  for (const [index, piece] of pieces.entries()) {
    const home = index === 0 ? inHome(piece, pieces.length, variables) : undefined
    const own = home === undefined ? pieceSegments(piece, line, variables, unset) : [{ text: home, isSplit: false }]
    // what follows is expanded all the same: it may assign
    if (own instanceof Unknown) unknown ??= own
    else segments.push(...own)
  }
  return unknown ?? segments
}

/** `~` and `~/…`; that of another user is not known here. */
function inHome(piece: Piece, count: number, variables: Variables): string | undefined {
  if (piece.kind !== "text" || piece.quoted) return undefined
  const [found, rest = ""] = /^~($|\/.*$)/.exec(piece.text) ?? []
  const home = variables.get("HOME")
  const isWhole = rest !== "" || count === 1
  return found !== undefined && isWhole && typeof home === "string" ? `${home}${rest}` : undefined
}

function pieceSegments(
  piece: Piece,
  line: number,
  variables: Variables,
  unset: "" | undefined,
): readonly Segment[] | Unknown {
  if (piece.kind === "text") return [{ text: piece.text, isSplit: false }]
  if (piece.kind === "unknown") return new Unknown(line, BY_COMMAND)
  const { name, expansion, quoted } = piece
  const value = variables.get(name)
  if (value instanceof Unknown) return via(name, value, line)
  const notSet = new Unknown(line, `uses $${name}, which is not set`)
  const segment = (text: string): readonly Segment[] => [{ text, isSplit: !quoted }]
  if (expansion === undefined) return value === undefined && unset === undefined ? notSet : segment(value ?? "")
  const isSet = value !== undefined && !(expansion.orEmpty && value === "")
  const instead = (): readonly Segment[] | Unknown =>
    segmentsOf({ kind: "word", pieces: expansion.word, line }, variables, unset)
  if (expansion.operator === "+") return isSet ? instead() : segment("")
  if (isSet) return segment(value)
  if (expansion.operator === "?") return notSet
  if (expansion.operator === "-") return instead()
  const assigned = valueOf({ kind: "word", pieces: expansion.word, line }, variables, unset)
  variables.set(name, assigned)
  return assigned instanceof Unknown ? assigned : segment(assigned)
}

function via(name: string, { line: root, reason }: Unknown, line: number): Unknown {
  // a copy of a prompt's result: the prompt is what is to be replaced
  if (reason === READ) return new Unknown(root, reason)
  return new Unknown(line, `uses $${name}, which ${reason}${root === line ? "" : ` (line ${root})`}`)
}

export const READ = "is read from a terminal, and there is none"
