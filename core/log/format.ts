export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const
export const LOG_FORMATS = ["logfmt", "json"] as const

export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number]
  readonly format: (typeof LOG_FORMATS)[number]
}
