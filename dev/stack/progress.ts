export interface Terminal {
  readonly isTTY?: boolean
  /** Undefined or 0 where it is not known. */
  readonly columns?: number
  write(text: string): unknown
}

export interface Progress {
  /** What is going on now: one line that is written over on a terminal; elsewhere a line whenever it changed. */
  readonly update: (text: string) => void
  /** Something that stays on the screen. Nothing is going on any more, until the next update. */
  readonly say: (text: string) => void
  readonly end: () => void
}

export function createProgress(terminal: Terminal, seconds: () => number): Progress {
  let current = ""
  const clear = terminal.isTTY === true ? "\r\u001B[K" : ""
  const draw = (): void => {
    const line = `${seconds()} s  ${current}`
    terminal.write(clear + line.slice(0, (terminal.columns || 80) - 1))
  }
  const clock = setInterval(() => {
    if (terminal.isTTY === true && current !== "") draw()
  }, 500)
  return {
    update(text) {
      if (text === current) return
      current = text
      if (terminal.isTTY === true) draw()
      else terminal.write(`${text}\n`)
    },
    say(text) {
      current = ""
      terminal.write(`${clear}${text}\n`)
    },
    end: () => clearInterval(clock),
  }
}
