import { format as interpolate } from "node:util"
import { type Logger, pino } from "pino"
import { type LineFormatter, lineFormatter, type LogFields, type LogOptions } from "./format.ts"

export type { Logger } from "pino"

/** A structured logger that writes whole lines. */
export function createLogger(options: LogOptions, component: string, write: (line: string) => void): Logger {
  const lines = lineFormatter(options.format, component)
  const log: Logger = pino({
    level: options.level,
    base: null,
    hooks: {
      // in place of pino's own JSON
      logMethod(args, _method, level) {
        const { fields, message } = read(args)
        const bindings = this === log ? "" : lines.fields(this.bindings())
        write(lines.line(log.levels.labels[level] ?? "", message, bindings + lines.fields(fields)))
      },
    },
  })
  outputs.set(log, { lines, write })
  return log
}

/** `log.info(fields?, message?, ...values)`, `log.error(error)`: pino's arguments. */
function read(args: readonly unknown[]): { fields: LogFields; message: string | undefined } {
  const [first, ...others] = typeof args[0] === "object" ? args : [{}, ...args]
  const fields = first instanceof Error ? { err: first } : ((first ?? {}) as LogFields)
  const [template, ...values] = others
  const { err } = fields
  if (template === undefined) return { fields, message: err instanceof Error ? err.message : undefined }
  return { fields, message: typeof template === "string" && values.length === 0 ? template : interpolate(...others) }
}

const outputs = new WeakMap<Logger, { readonly lines: LineFormatter; readonly write: (lines: string) => void }>()

/** Of a logger that createLogger made, for lines that are too many to go through it one by one. */
export function outputOf(log: Logger) {
  const output = outputs.get(log)
  if (output === undefined) throw new Error("a logger that createLogger did not make has no output of its own")
  return output
}
