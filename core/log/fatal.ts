import { explain, FaultsError, FedstackError } from "#core/errors.ts"
import { type LogOptions, lineFormatter } from "./format.ts"

/**
 * What ends a process, for standard error: a line for each fault, for people, or lines of the log where that is JSON. A stack
 * where the error is none of ours.
 */
export function showFatal(error: unknown, format: LogOptions["format"], component: string): string {
  const faults =
    error instanceof FaultsError ? error.faults.map(({ where, message }) => `${where}: ${message}`) : undefined
  const stack =
    !(error instanceof FedstackError) && error instanceof Error && faults === undefined ? error.stack : undefined
  if (format === "json") {
    const lines = lineFormatter(format, component)
    return (faults ?? [explain(error)]).map((text) => lines.line("error", text, lines.fields({ stack }))).join("")
  }
  const text = faults?.join("\n") ?? `fedstack: ${explain(error)}`
  return `${text}\n${stack === undefined ? "" : `${stack}\n`}`
}
