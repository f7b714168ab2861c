interface Waiting {
  readonly bytes: number
  readonly enter: () => void
}

export type PageMemory = ReturnType<typeof createPageMemory>

/**
 * Memory of the pages that are decoded at once, `most` bytes. Those that find too little of it free wait for their turn, in
 * their order: a large one is not passed by small ones for ever.
 */
export function createPageMemory(most: number) {
  let used = 0
  const waiting = new Set<Waiting>()
  const admit = (): void => {
    for (const one of waiting) {
      // what is larger than all has it alone
      if (used > 0 && used + one.bytes > most) return
      waiting.delete(one)
      used += one.bytes
      one.enter()
    }
  }
  return {
    get used(): number {
      return used
    },
    /** Rejects with the signal's reason where that is aborted meanwhile. Disposing gives it back. */
    async take(bytes: number, signal: AbortSignal): Promise<Disposable> {
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const one = { bytes, enter: resolve }
      const leave = (): void => {
        // one that has entered meanwhile goes on, and is aborted by what it does next
        if (!waiting.delete(one)) return
        reject(signal.reason as Error)
        admit()
      }
      signal.addEventListener("abort", leave, { once: true })
      waiting.add(one)
      admit()
      try {
        await promise
      } finally {
        signal.removeEventListener("abort", leave)
      }
      let held = true
      return {
        [Symbol.dispose]() {
          if (!held) return
          held = false
          used -= bytes
          admit()
        },
      }
    },
  }
}
