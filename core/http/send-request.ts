import type { IncomingHttpHeaders } from "node:http"
import type { Dispatcher } from "undici"

/** Is called with a response while it arrives. What it throws ends the request, and becomes its error. */
export interface ResponseReceiver {
  /** There is a connection, and the request is about to be sent by it. */
  connected?(): void
  start(status: number, headers: IncomingHttpHeaders): void
  data(chunk: Buffer): void
}

/**
 * Sends one request. Resolves at the end of its response, and rejects where that is not as long as announced. An aborted
 * signal rejects at once. By undici's own handler: as a stream, each chunk would cost twice as much.
 */
export function sendRequest(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  receiver: ResponseReceiver,
  signal: AbortSignal,
): Promise<void> {
  if (signal.aborted) return Promise.reject(signal.reason as Error)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let controller: Dispatcher.DispatchController | undefined
  const cancel = (): void => {
    const reason = signal.reason as Error
    controller?.abort(reason)
    reject(reason)
  }
  const ended = (): void => signal.removeEventListener("abort", cancel)
  signal.addEventListener("abort", cancel, { once: true })
  dispatcher.dispatch(options, {
    onRequestStart(started) {
      controller = started
      if (signal.aborted) cancel()
      else receiver.connected?.()
    },
    onResponseStart(_, status, headers) {
      if (status >= 200) receiver.start(status, headers)
    },
    onResponseData: (_, chunk) => receiver.data(chunk),
    onResponseEnd() {
      ended()
      resolve()
    },
    onResponseError(_, error) {
      ended()
      reject(error)
    },
  })
  return promise
}
