import { type Logger, pino } from "pino"

export type { Logger } from "pino"

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const
export const LOG_FORMATS = ["logfmt", "json"] as const

export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number]
  readonly format: (typeof LOG_FORMATS)[number]
}

/** Values under these keys never leave the process. Callers keep secrets out of messages; this catches what slips through. */
const SECRET_KEYS = ["authorization", "cookie", "password", "secret", "token", "credentials"]
const redact = {
  paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
  censor: "<secret>",
}

/** A structured logger that writes whole lines: `ts=… level=info component=proxy msg="…" key=value` or the same as JSON. */
export function createLogger(options: LogOptions, component: string, write: (line: string) => void): Logger {
  return pino(
    {
      level: options.level,
      base: { component },
      redact,
      timestamp: () => `,"ts":"${new Date().toISOString()}"`,
      formatters: { level: (level) => ({ level }) },
    },
    { write: options.format === "json" ? write : (line) => write(toLogfmt(line)) },
  )
}

function toLogfmt(json: string): string {
  const { ts, level, component, msg, ...rest } = JSON.parse(json) as Record<string, unknown>
  const entries = Object.entries({ ts, level, component, msg, ...flatten(rest) }).filter(
    ([, value]) => value !== undefined,
  )
  return `${entries.map(([key, value]) => `${key}=${quote(value)}`).join(" ")}\n`
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

function quote(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value)
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text)
}
