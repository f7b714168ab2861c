const CODES = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

export interface Ending {
  /** Aborted when the process is told to end, for the first time. */
  readonly signal: AbortSignal
  /** The exit code for being told to end. */
  code(): number
}

/** Ctrl-C, SIGTERM and a closed terminal end in order; told a second time, `force` runs and the process exits at once. */
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
  // a terminal that is gone, or `| head`: nobody reads on
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => controller.abort())
  return { signal: controller.signal, code: () => code }
}
