import type { Closable } from "#core/closable.ts"
import type { Usage } from "#core/config/read-settings.ts"
import type { Logger } from "#core/log/logger.ts"
import { oneOf, setting, type Settings, type Values } from "#core/config/settings.ts"
import { LOG_FORMATS, LOG_LEVELS } from "#core/log/format.ts"

/** A component that runs until it is closed. */
export interface Running extends Closable {
  /** Reads the configuration files again, as on SIGHUP. Faults are logged and shown in metrics; it never throws. */
  reload?(): Promise<void>
}

export interface Context {
  readonly log: Logger
  /** Aborted when the process is to end, also while it is still starting. */
  readonly signal: AbortSignal
  /** Standard output, for commands whose result is text. */
  readonly print: (text: string) => void
  readonly now: () => Date
  /** For variables that a configuration file names, such as those of tokens. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** One subcommand: its settings and how it starts. One that returns nothing has done its work and ends with 0. */
export interface Component<S extends Settings> extends Usage<S> {
  readonly example: string
  readonly docs: string
  /** Whether it ends by itself: a signal before that is a failure, and ends it at once. */
  once?(values: Values<S>): boolean
  /** `more`: further arguments of a command that takes several. */
  run(
    values: Values<S>,
    context: Context,
    argument: string,
    more?: readonly string[],
  ): Promise<Running | undefined> | undefined
}

export function component<const S extends Settings>(definition: Component<S>): Component<S> {
  return definition
}

/** The flags of every command, beside its own. */
export const logSettings = {
  logLevel: setting(
    oneOf(LOG_LEVELS),
    { group: "Log", flag: "--log.level <level>", help: `Log from this level on: ${LOG_LEVELS.join(", ")}` },
    "info",
  ),
  logFormat: setting(
    oneOf(LOG_FORMATS),
    { group: "Log", flag: "--log.format <format>", help: `Log in this format: ${LOG_FORMATS.join(" or ")}` },
    "logfmt",
  ),
}
