import { type Logger, oneLine, outputOf, quote } from "#core/log/logger.ts"

export type Fields = Readonly<Record<string, string | number | undefined>>

/** Writes log lines of one message, thousands a second, in the form of the logger's own. Secrets are the caller's matter. */
export interface BatchLog {
  /** Fields as they stand in a line, to be shown once where they repeat. */
  show(fields: Fields): string
  write(level: "info" | "warn", shown: string, fields: Fields): void
  flush(): void
  /** Flushes, and writes what comes later at once. */
  close(): void
}

/** Milliseconds that a line waits for others at most. */
const DELAY = 100
const BYTES = 65_536
/** Needs no quotes in either format. */
const PLAIN = /^[\w./:+-]+$/

export function batchLog(log: Logger, message: string): BatchLog {
  const { format, component: name, write } = outputOf(log)
  const json = format === "json"
  const component = json ? JSON.stringify(name) : quote(name)
  // bytes, not a text: a text of many parts lives through several collections of garbage before it is written
  const lines = Buffer.allocUnsafeSlow(BYTES)
  let length = 0
  let timer: NodeJS.Timeout | undefined
  let closed = false

  const show = (fields: Fields): string => {
    let shown = ""
    for (const key in fields) {
      const value = fields[key]
      if (value === undefined) continue
      if (json) shown += `,"${key}":${typeof value === "number" ? value : showJson(value)}`
      else shown += ` ${key}=${typeof value === "number" || PLAIN.test(value) ? value : oneLine(quote(value))}`
    }
    return shown
  }
  const time = timestamps()
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
    show,
    write(level, shown, fields) {
      if (!log.isLevelEnabled(level)) return
      add(
        json
          ? `{"level":"${level}","ts":"${time()}","component":${component}${shown}${show(fields)},"msg":"${message}"}\n`
          : `ts=${time()} level=${level} component=${component} msg=${message}${shown}${show(fields)}\n`,
      )
      if (closed) flush()
      else timer ??= setTimeout(flush, DELAY).unref()
    },
    flush,
    close() {
      process.off("exit", flush)
      closed = true
      flush()
    },
  }
}

function showJson(value: string): string {
  return PLAIN.test(value) ? `"${value}"` : oneLine(JSON.stringify(value))
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
