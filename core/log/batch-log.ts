import { type Logger, outputOf } from "./logger.ts"

export type Fields = Readonly<Record<string, string | number | undefined>>

export type BatchLog = ReturnType<typeof batchLog>

/** Milliseconds that a line waits for others at most. */
const DELAY = 100
const BYTES = 65_536

/** Writes log lines of one message, thousands a second, in the form of the logger's own. */
export function batchLog(log: Logger, message: string) {
  const { lines: formatter, write } = outputOf(log)
  // bytes, not a text: a text of many parts lives through several collections of garbage before it is written
  const lines = Buffer.allocUnsafeSlow(BYTES)
  let length = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const flush = (): void => {
    clearTimeout(timer)
    timer = undefined
    const text = lines.toString("utf8", 0, length)
    length = 0
    if (text !== "") write(text)
  }
  const add = (line: string): void => {
    // three bytes a character at most
    if (length + line.length * 3 > BYTES) flush()
    if (line.length * 3 > BYTES) write(line)
    else length += lines.write(line, length)
  }
  process.on("exit", flush)

  return {
    /** Fields as they stand in a line, to be shown once where they repeat. */
    show: (fields: Fields): string => formatter.fields(fields),
    write(level: "info" | "warn", shown: string, fields: Fields): void {
      if (!log.isLevelEnabled(level)) return
      add(formatter.line(level, message, shown + formatter.fields(fields)))
      if (closed) flush()
      else timer ??= setTimeout(flush, DELAY).unref()
    },
    flush,
    /** Flushes, and writes what comes later at once. */
    close(): void {
      process.off("exit", flush)
      closed = true
      flush()
    },
  }
}
