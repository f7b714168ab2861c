import type { Logger } from "#core/log.ts"
import type { Settings, Values } from "#core/settings.ts"

/** What is running until it is closed. */
export interface Running {
  /** Stops taking work, finishes what is under way within its own deadline, and frees ports, files and timers. */
  close(): Promise<void>
  /** Reads the configuration files again, as on SIGHUP. Faults are logged and shown in metrics; it never throws. */
  reload?(): Promise<void>
}

export interface Context {
  readonly log: Logger
  /** Aborted when the process is told to end, also while it is still starting. */
  readonly signal: AbortSignal
  /** Standard output, for commands whose result is text. */
  readonly print: (text: string) => void
  readonly now: () => Date
  /** For variables that a configuration file names, such as those of tokens. */
  readonly env: Readonly<Record<string, string | undefined>>
}

/** One subcommand: what it can be told and how it starts. One that returns nothing has done its work and ends with 0. */
export interface Component<S extends Settings> {
  readonly settings: S
  readonly argument?: { readonly notation: string; readonly help: string }
  /** Whether it is to end by itself: told to end before that, it has failed, and ends at once. */
  once?(values: Values<S>): boolean
  run(values: Values<S>, context: Context, argument: string): Promise<Running | undefined>
}

export function component<const S extends Settings>(definition: Component<S>): Component<S> {
  return definition
}

/** Closes in the order given, each even if one before it fails, and then throws the first failure. */
export async function closeAll(parts: readonly Running[]): Promise<void> {
  const failures: unknown[] = []
  for (const part of parts) {
    try {
      await part.close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
