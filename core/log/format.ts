import { explain } from "#core/errors.ts"

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const
export const LOG_FORMATS = ["logfmt", "json"] as const

export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number]
  readonly format: (typeof LOG_FORMATS)[number]
}

export type LogFields = Readonly<Record<string, unknown>>

export type LineFormatter = ReturnType<typeof lineFormatter>

/** Writes what is logged as lines: `ts=… level=info component=proxy msg="…" key=value`, or the same as JSON. */
export function lineFormatter(format: LogOptions["format"], component: string) {
  const json = format === "json"
  const show = json ? showJson : showLogfmt
  const prefix = json ? (key: string) => `,${showJson(key)}:` : (key: string) => ` ${key.replaceAll(UNQUOTABLE, "_")}=`
  const shownComponent = show(component)
  const time = timestamps()
  const keys = new Map<string, { readonly begin: string; readonly isSecret: boolean }>()
  const keyOf = (key: string) => {
    const known = keys.get(key)
    if (known !== undefined) return known
    if (keys.size >= MOST_KEYS) keys.clear()
    const made = { begin: prefix(key), isSecret: SECRET_KEY.test(key) }
    keys.set(key, made)
    return made
  }
  return {
    /** Fields as they stand in a line, without the secrets among them. */
    fields(fields: LogFields): string {
      let shown = ""
      for (const key in fields) {
        const value = fields[key]
        if (value === undefined) continue
        const { begin, isSecret } = keyOf(key)
        if (isSecret) shown += begin + show(SECRET)
        else if (typeof value === "string") shown += begin + show(value)
        else if (typeof value === "number") shown += begin + String(Number.isFinite(value) ? value : null)
        else if (json) shown += begin + oneLine(JSON.stringify(plain(value)))
        else for (const [path, leaf] of flatten(key, plain(value))) shown += prefix(path) + show(leaf)
      }
      return shown
    },
    /** One line, whatever is in it. `shown` are its fields. */
    line(level: string, message: string | undefined, shown: string): string {
      const shownMessage = message === undefined ? "" : prefix("msg") + show(message)
      return json
        ? `{"level":"${level}","ts":"${time()}","component":${shownComponent}${shown}${shownMessage}}\n`
        : `ts=${time()} level=${level} component=${shownComponent}${shownMessage}${shown}\n`
    },
  }
}

/** Keys of lines are few; those of objects that are logged whole may be any. */
const MOST_KEYS = 1000
/** Values under keys that end so never leave the process. Callers keep secrets out of messages; this catches what slips through. */
const SECRET_KEY = /(?:authorization|cookie|password|secret|token|credentials?)$/i
const SECRET = "<secret>"
/** Needs no quotes in either format. */
const PLAIN = /^[\w./:+-]+$/
/** What a bare key or value cannot hold. */
const UNQUOTABLE = /[\s"=\p{Cc}]/gu

const showJson = (text: string): string => (PLAIN.test(text) ? `"${text}"` : oneLine(JSON.stringify(text)))

function showLogfmt(text: string): string {
  if (PLAIN.test(text)) return text
  return oneLine(text === "" || text.search(UNQUOTABLE) >= 0 ? JSON.stringify(text) : text)
}

/** Escapes what terminals and log readers may take for a command or a new line, and JSON leaves as it is. */
function oneLine(text: string): string {
  return text.replaceAll(/[\u007F-\u009F\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
}

const UNPRINTABLE = ["undefined", "function", "symbol"]
/** Of objects inside of each other. */
const DEPTH = 8

/** What JSON can hold of any value, without secrets. `above` are the objects that it stands in. */
function plain(value: unknown, above: readonly unknown[] = []): unknown {
  if (typeof value === "bigint") return value.toString()
  if (typeof value !== "object") return UNPRINTABLE.includes(typeof value) ? `<${typeof value}>` : value
  if (value === null) return value
  if (above.includes(value)) return "[Circular]"
  if (above.length === DEPTH) return "[Object]"
  const inside = [...above, value]
  if ("toJSON" in value && typeof value.toJSON === "function") return plain(value.toJSON(), inside)
  if (Array.isArray(value)) return value.map((item) => plain(item, inside))
  const entries = Object.entries(value instanceof Error ? errorFields(value) : value).filter(
    ([, one]) => one !== undefined,
  )
  return Object.fromEntries(entries.map(([key, one]) => [key, SECRET_KEY.test(key) ? SECRET : plain(one, inside)]))
}

const errorFields = (error: Error): object => ({
  ...Object.fromEntries(Object.entries(error)),
  type: error.constructor.name,
  message: explain(error),
  stack: error.stack,
  cause: error.cause,
})

/** `{err: {message}}` becomes `err.message`; arrays stay one value, with commas between what has none. */
function* flatten(path: string, value: unknown): Generator<readonly [path: string, leaf: string]> {
  if (Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "" && !item.includes(",")))
    yield [path, value.join(",")]
  else if (typeof value !== "object" || value === null || Array.isArray(value))
    yield [path, typeof value === "string" ? value : JSON.stringify(value)]
  else for (const [key, inner] of Object.entries(value)) yield* flatten(`${path}.${key}`, inner)
}

/** Now, formatted once a millisecond. */
function timestamps(): () => string {
  let at = 0
  let shown = ""
  return () => {
    const now = Date.now()
    if (now !== at) shown = new Date((at = now)).toISOString()
    return shown
  }
}
