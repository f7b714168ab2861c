import { type Logger, pino } from "pino"
import type { LogOptions } from "./format.ts"

export type { Logger } from "pino"

/** Values under keys that end so never leave the process. Callers keep secrets out of messages; this catches what slips through. */
const SECRET_KEY = /(?:authorization|cookie|password|secret|token|credentials?)$/i

/** A structured logger that writes whole lines: `ts=… level=info component=proxy msg="…" key=value` or the same as JSON. */
export function createLogger(options: LogOptions, component: string, write: (line: string) => void): Logger {
  const show = options.format === "json" ? JSON.stringify : toLogfmt
  const log = pino(
    {
      level: options.level,
      base: { component },
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => write(`${oneLine(show(JSON.parse(line, redact) as Record<string, unknown>))}\n`) },
  )
  outputs.set(log, { format: options.format, component, write })
  return log
}

/** What a logger writes to, and how. */
export interface LogOutput {
  readonly format: LogOptions["format"]
  readonly component: string
  readonly write: (lines: string) => void
}

const outputs = new WeakMap<Logger, LogOutput>()

/** Of a logger that createLogger made, for lines that are too many to go through it one by one. */
export function outputOf(log: Logger): LogOutput {
  const output = outputs.get(log)
  if (output === undefined) throw new Error("a logger that createLogger did not make has no output of its own")
  return output
}

const redact = (key: string, value: unknown): unknown => (SECRET_KEY.test(key) ? "<secret>" : value)

/** Escapes what terminals and log readers may take for a command or a new line, and JSON leaves as it is. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\u007F-\u009F\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
}

function toLogfmt({ ts, level, component, msg, ...rest }: Record<string, unknown>): string {
  return Object.entries({ ts, level, component, msg, ...flatten(rest) })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key.replaceAll(UNQUOTABLE, "_")}=${quote(value)}`)
    .join(" ")
}

/** `{err: {message}}` becomes `err.message`; arrays stay one value. */
function flatten(fields: Record<string, unknown>, prefix = ""): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([key, value]) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.entries(flatten(value as Record<string, unknown>, `${prefix}${key}.`))
        : [[prefix + key, value]],
    ),
  )
}

/** What a bare key or value can't hold. */
const UNQUOTABLE = /[\s"=\p{Cc}]/gu

export function quote(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return text === "" || text.search(UNQUOTABLE) >= 0 ? JSON.stringify(text) : text
}
