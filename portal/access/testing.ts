import { once } from "node:events"
import { request as httpRequest, type IncomingMessage } from "node:http"
import { text } from "node:stream/consumers"

export interface SentFrom {
  readonly method?: string
  /** As they are written, so that there may be two of one. */
  readonly headers?: readonly (readonly [name: string, value: string])[]
  /** Which address of this machine it comes from. */
  readonly from?: string
  readonly body?: string
}

/** A request with exactly these headers, from an address of choice. */
export async function sendFrom(url: string, path: string, sent: SentFrom = {}) {
  const { method = "GET", headers = [], from = "127.0.0.1", body = "" } = sent
  const target = new URL(url)
  const length = method === "GET" ? [] : ["content-length", String(Buffer.byteLength(body))]
  const request = httpRequest({
    ...{ host: target.hostname, port: target.port, path, method, localAddress: from, agent: false },
    headers: ["host", target.host, ...length, ...headers.flat()],
  })
  request.end(body)
  const [response] = (await once(request, "response")) as [IncomingMessage]
  return { status: response.statusCode, headers: response.headers, body: await text(response) }
}
