const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export interface Ending {
  /** Aborted by the first signal that ends the process. */
  readonly signal: AbortSignal
  /** The exit code of that signal. */
  code(): number
}

/** Ctrl-C, SIGTERM and a closed terminal end in order; at the second one, `force` runs and the process exits at once. */
export function listenToSignals(force: () => void): Ending {
  const controller = new AbortController()
  let code: number = CODES.SIGHUP
  for (const [name, value] of Object.entries(CODES)) {
    process.on(name, () => {
      if (controller.signal.aborted) {
        force()
        process.exit(value)
      }
      code = value
      controller.abort()
    })
  }
  // a terminal that is gone, or `| head`: there is no reader
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => controller.abort())
  return { signal: controller.signal, code: () => code }
}
