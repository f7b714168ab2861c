/** Seconds after which `signal` is aborted; it is aborted together with `parent` too. `using` frees timer and listener. */
export class Deadline implements Disposable {
  readonly signal: AbortSignal
  readonly seconds: number
  readonly #timer: NodeJS.Timeout
  readonly #release: () => void
  #exceeded = false

  constructor(seconds: number, parent?: AbortSignal) {
    // cheaper than AbortSignal.timeout and AbortSignal.any, which also keep their memory until a collection of garbage
    const controller = new AbortController()
    this.signal = controller.signal
    this.seconds = seconds
    this.#timer = setTimeout(() => {
      this.#exceeded = !controller.signal.aborted
      controller.abort(new DOMException(`not done within ${seconds} s`, "TimeoutError"))
    }, seconds * 1000)
    const abort = (): void => controller.abort(parent?.reason)
    this.#release = () => parent?.removeEventListener("abort", abort)
    if (parent?.aborted) abort()
    else parent?.addEventListener("abort", abort)
  }

  /** Whether the time is over, rather than that `parent` was aborted. */
  get exceeded(): boolean {
    return this.#exceeded
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
    this.#release()
  }
}

/** Rejects with the signal's reason as soon as that is aborted; `work`, which others may wait for too, goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const abort = (): void => reject(signal.reason as Error)
  if (signal.aborted) abort()
  signal.addEventListener("abort", abort, { once: true })
  try {
    return await Promise.race([promise, work])
  } finally {
    signal.removeEventListener("abort", abort)
  }
}

/** Waits for `work`, which goes on in any case. False where that takes longer; rejects as `work` does, or when `signal` is aborted. */
export async function doneWithin(seconds: number, work: Promise<unknown>, signal?: AbortSignal): Promise<boolean> {
  using deadline = new Deadline(seconds, signal)
  try {
    await unlessAborted(work, deadline.signal)
    return true
  } catch (error) {
    if (deadline.exceeded && error === deadline.signal.reason) return false
    throw error
  }
}
