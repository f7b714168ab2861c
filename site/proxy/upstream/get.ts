import type { IncomingHttpHeaders } from "node:http"
import type { Dispatcher } from "undici"
import { type UpstreamRequest, upstreamHeaders } from "./request.ts"

/** Receives a response while it comes. What it throws ends the request, and becomes its error. */
export interface ResponseReceiver {
  start(status: number, headers: IncomingHttpHeaders): void
  data(chunk: Buffer): void
}

/**
 * One GET to one upstream. Resolves at the end of its response, and rejects where that is not as long as announced. An
 * aborted signal rejects at once. By undici's own handler: as a stream, each chunk would cost twice as much.
 */
export function get(
  dispatcher: Dispatcher,
  { origin, pathname }: URL,
  request: UpstreamRequest,
  receiver: ResponseReceiver,
  signal: AbortSignal,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let controller: Dispatcher.DispatchController | undefined
  const cancel = (): void => {
    const reason = signal.reason as Error
    controller?.abort(reason)
    reject(reason)
  }
  signal.addEventListener("abort", cancel)
  const path = `${pathname.replace(/\/+$/, "")}${request.target.path}?${request.query}`
  dispatcher.dispatch(
    { origin, path, method: "GET", headers: upstreamHeaders(request) },
    {
      onRequestStart(started) {
        controller = started
        if (signal.aborted) cancel()
      },
      onResponseStart(_, status, headers) {
        if (status >= 200) receiver.start(status, headers)
      },
      onResponseData: (_, chunk) => receiver.data(chunk),
      onResponseEnd: () => resolve(),
      onResponseError: (_, error) => reject(error),
    },
  )
  return promise.finally(() => signal.removeEventListener("abort", cancel))
}
