import { unquote } from "#core/promql/unquote.ts"
import { readPipeline, shown, skipSpace } from "./read-pipeline.ts"
import { type Action, type Pipeline, type Template, TemplateFault } from "./template.ts"
import { readTokens, type Token } from "./tokens.ts"

/** `if`, `range` and the like, up to their `end`. */
interface Block extends Place {
  readonly keyword: string
  hasElse: boolean
  /** What `.` is in it, and whether `break` may stand in it; its else is as outside. */
  dotIsAlert: boolean
  inRange: boolean
  /** How many variables there were outside. */
  readonly variables: number
  /** Of a `define` or `block`. */
  readonly defines: Definition | undefined
}

/** A named template, or the text itself: each has its own variables. */
interface Definition {
  readonly name: string | undefined
  readonly variables: string[]
  /** Nothing but white space and comments; such a one may be defined again. */
  empty: boolean
}

const COMMENT = /(?:- |-\t|-\r|-\n)?\/\*/y
const ENDS_COMMENT = /[ \t\r\n]-\}\}|\}\}/y
const TRIMMED = /-[ \t\r\n]/y
/** Of Go's unicode.IsSpace. */
const BLANK = /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/

/** The actions of a text/template; throws a TemplateFault. It is linear in the text, and keeps what is open off the call stack. */
export function readTemplate(text: string, functions: ReadonlySet<string>, variables: readonly string[]): Template {
  return new Reader(text, functions, variables).read()
}

class Reader {
  readonly #text: string
  readonly #functions: ReadonlySet<string>
  readonly #actions: Action[] = []
  readonly #blocks: Block[] = []
  readonly #definitions: Definition[]
  /** Whether what has the name is empty. */
  readonly #defined = new Map<string, boolean>()

  constructor(text: string, functions: ReadonlySet<string>, variables: readonly string[]) {
    this.#text = text
    this.#functions = functions
    this.#definitions = [{ name: undefined, variables: ["$", ...variables], empty: true }]
  }

  get #definition(): Definition {
    const last = this.#definitions.at(-1)
    if (last === undefined) throw new Error("the text itself is always there")
    return last
  }

  /** What holds in that block; -1: in the text itself. */
  #around(block: number): { readonly dotIsAlert: boolean; readonly inRange: boolean } {
    const { dotIsAlert, inRange } = this.#blocks[block] ?? { dotIsAlert: true, inRange: false }
    return { dotIsAlert, inRange }
  }

  read(): Template {
    let at = 0
    for (;;) {
      const start = this.#text.indexOf("{{", at)
      const plain = this.#text.slice(at, start === -1 ? undefined : start)
      if (!BLANK.test(plain)) this.#definition.empty = false
      if (start === -1) break
      at = this.#readComment(start) ?? this.#readAction(start)
    }
    const open = this.#blocks.at(-1)
    if (open !== undefined) throw new TemplateFault(`${open.keyword} is not closed: add {{ end }}`, open)
    return { actions: this.#actions, defined: new Set(this.#defined.keys()) }
  }

  /** Where it ends; undefined where there is none. */
  #readComment(start: number): number | undefined {
    COMMENT.lastIndex = start + 2
    if (!COMMENT.test(this.#text)) return undefined
    const place = { from: start, to: COMMENT.lastIndex }
    const end = this.#text.indexOf("*/", COMMENT.lastIndex)
    if (end === -1) throw new TemplateFault("this comment is not closed: add */}}", place)
    ENDS_COMMENT.lastIndex = end + 2
    if (!ENDS_COMMENT.test(this.#text)) {
      throw new TemplateFault("}} must follow the end of a comment", { from: end, to: end + 2 })
    }
    return ENDS_COMMENT.lastIndex
  }

  #readAction(start: number): number {
    TRIMMED.lastIndex = start + 2
    const tokens = readTokens(this.#text, TRIMMED.test(this.#text) ? start + 4 : start + 2)
    const at = skipSpace(tokens, 0)
    const first = tokens[at]
    const end = tokens.at(-1)?.to ?? start
    const place = { from: start, to: end }
    const keyword = first?.kind === "keyword" ? first.text : "value"
    if (keyword !== "end" && keyword !== "define") this.#definition.empty = false
    if (keyword === "end") this.#end(tokens, at, place)
    else if (keyword === "else") this.#else(tokens, at, place)
    else if (keyword === "define" && this.#blocks.length === 0) this.#define(tokens, at, place)
    else if (keyword === "break" || keyword === "continue") this.#leave(tokens, at, keyword)
    else if (keyword === "template" || keyword === "block") this.#invoke(tokens, at, keyword, place)
    else if (keyword === "if" || keyword === "with" || keyword === "range") {
      const outside = this.#definition.variables.length
      this.#add(keyword, this.#pipeline(tokens, at + 1, keyword), place)
      this.#open(keyword, outside, place)
    } else if (keyword === "define") {
      throw new TemplateFault("define stands inside of another action: move it out", place)
    } else this.#add("value", this.#pipeline(tokens, at, "an action"), place)
    return end
  }

  #pipeline(tokens: readonly Token[], at: number, context: string): Pipeline {
    return readPipeline(tokens, at, context, { functions: this.#functions, variables: this.#definition.variables })
  }

  #add(keyword: Action["keyword"], pipeline: Pipeline | undefined, place: Place, name?: string): void {
    this.#actions.push({
      keyword,
      pipeline,
      name,
      dotIsAlert: this.#around(this.#blocks.length - 1).dotIsAlert,
      ...place,
    })
  }

  #open(
    keyword: "if" | "with" | "range" | "define" | "block",
    variables: number,
    place: Place,
    defines?: Definition,
  ): void {
    const { dotIsAlert, inRange } = this.#around(this.#blocks.length - 1)
    this.#blocks.push({
      keyword,
      ...place,
      hasElse: false,
      dotIsAlert: keyword === "if" && dotIsAlert,
      inRange: keyword === "range" || (defines === undefined && inRange),
      variables,
      defines,
    })
    if (defines !== undefined) this.#definitions.push(defines)
  }

  #end(tokens: readonly Token[], at: number, place: Place): void {
    expectEnd(tokens, at + 1, "end")
    const block = this.#blocks.pop()
    if (block === undefined) throw new TemplateFault("there is nothing to end here", place)
    if (block.defines !== undefined) {
      this.#definitions.pop()
      const { name = "", empty } = block.defines
      if (this.#defined.get(name) === false && !empty) {
        throw new TemplateFault(`the template ${JSON.stringify(name)} is defined twice`, block)
      }
      if (this.#defined.get(name) !== false) this.#defined.set(name, empty)
    }
    this.#definition.variables.length = block.variables
  }

  #else(tokens: readonly Token[], at: number, place: Place): void {
    const block = this.#blocks.at(-1)
    if (block === undefined || block.defines !== undefined) {
      throw new TemplateFault("else stands outside of if, range and with", place)
    }
    if (block.hasElse) throw new TemplateFault(`${block.keyword} has an else already`, place)
    const next = skipSpace(tokens, at + 1)
    const token = tokens[next]
    // {{ else if }} goes on with an if, {{ else with }} with a with (not in builds of 2.53 by Go before 1.23)
    if (token?.kind === "keyword" && token.text === block.keyword && block.keyword !== "range") {
      this.#add("else", this.#pipeline(tokens, next + 1, block.keyword), place)
      return
    }
    expectEnd(tokens, at + 1, "else")
    block.hasElse = true
    Object.assign(block, this.#around(this.#blocks.length - 2))
  }

  #define(tokens: readonly Token[], at: number, place: Place): void {
    const { name, next } = readName(tokens, at + 1, "define")
    expectEnd(tokens, next, "define")
    this.#open("define", this.#definition.variables.length, place, { name, variables: ["$"], empty: true })
  }

  #leave(tokens: readonly Token[], at: number, keyword: string): void {
    expectEnd(tokens, at + 1, keyword)
    if (this.#around(this.#blocks.length - 1).inRange) return
    throw new TemplateFault(`${keyword} stands outside of a range`, tokens[at] ?? { from: 0, to: 0 })
  }

  #invoke(tokens: readonly Token[], at: number, keyword: "template" | "block", place: Place): void {
    const { name, next } = readName(tokens, at + 1, keyword)
    const value = skipSpace(tokens, next)
    const bare = keyword === "template" && tokens[value]?.kind === "right"
    this.#add(keyword, bare ? undefined : this.#pipeline(tokens, next, keyword), place, name)
    if (keyword === "block")
      this.#open(keyword, this.#definition.variables.length, place, { name, variables: ["$"], empty: true })
  }
}

interface Place {
  readonly from: number
  readonly to: number
}

function readName(tokens: readonly Token[], start: number, keyword: string): { name: string; next: number } {
  const at = skipSpace(tokens, start)
  const token = tokens[at]
  if (token?.kind !== "string") {
    throw new TemplateFault(`${keyword} needs the name of a template in quotes`, token ?? { from: 0, to: 0 })
  }
  const name = unquote(token.text)
  return { name: typeof name === "string" ? name : token.text, next: at + 1 }
}

function expectEnd(tokens: readonly Token[], start: number, keyword: string): void {
  const token = tokens[skipSpace(tokens, start)]
  if (token?.kind === "right") return
  throw new TemplateFault(
    `${token === undefined ? "this" : shown(token)} cannot follow ${keyword}`,
    token ?? { from: 0, to: 0 },
  )
}
