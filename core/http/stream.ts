import { createGunzip } from "node:zlib"
import { type Dispatcher, getGlobalDispatcher } from "undici"
import { Deadline, unlessAborted } from "#core/retry/deadline.ts"
import {
  type RequestAddress,
  dispatchOptions,
  type RequestFailed,
  requestFailed,
  type RequestOptions,
  type ResponseHead,
  tooLarge,
} from "./client.ts"

export interface StreamOptions extends RequestOptions {
  /** For the whole response; or, for one that has no end, a signal and the times below. */
  readonly lifetime: Deadline | AbortSignal
  /** Seconds until a response begins. */
  readonly begin?: number
  /** Seconds without a byte of the body. */
  readonly silence?: number
  /** Bytes that a body may have, uncompressed. */
  readonly limit?: number
  /** Whether to ask for a compressed body. */
  readonly gzip?: boolean
}

/** A response whose body is still to come. `using` closes its connection where that is not read to its end. */
export interface StreamResponse extends ResponseHead, Disposable {
  /** Uncompressed. Throws RequestFailed. */
  readonly body: AsyncIterable<Buffer>
  /** The whole body, where it is small: beside a status that is no success. Throws RequestFailed. */
  text(limit: number): Promise<string>
}

/** As fetchText, with the body while it arrives: what is read slowly is sent slowly. Throws RequestFailed. */
export async function fetchStream(address: RequestAddress, options: StreamOptions): Promise<StreamResponse> {
  const { lifetime, begin = 0, silence = 0, limit = Infinity, gzip = false } = options
  const { headers = {}, dispatcher = getGlobalDispatcher() } = options
  const signal = lifetime instanceof Deadline ? lifetime.signal : lifetime
  const failed = (error: unknown, begun: boolean): RequestFailed =>
    requestFailed(address, options, error, { lifetime, begun })
  const request = dispatcher.request({
    ...dispatchOptions(address, gzip ? { ...options, headers: { ...headers, "accept-encoding": "gzip" } } : options),
    headersTimeout: begin * 1000,
    bodyTimeout: silence * 1000,
    signal,
  })
  // undici looks at the signal when it is connected
  const response = await unlessAborted(request, signal).catch((error: unknown) => {
    throw failed(error, false)
  })
  response.body.on("error", () => undefined) // who reads it gets the error too
  async function* read(most: number): AsyncGenerator<Buffer> {
    let bytes = 0
    try {
      for await (const chunk of decode(response, gzip)) {
        bytes += chunk.length
        if (bytes > most) throw tooLarge(address, options, most)
        yield chunk
      }
    } catch (error) {
      throw failed(error, true)
    }
  }
  return {
    status: response.statusCode,
    headers: response.headers,
    body: read(limit),
    async text(most) {
      const chunks: Buffer[] = []
      for await (const chunk of read(most)) chunks.push(chunk)
      return Buffer.concat(chunks).toString("utf8")
    },
    [Symbol.dispose]: () => void response.body.destroy(),
  }
}

function decode({ body, headers }: Dispatcher.ResponseData, gzip: boolean): AsyncIterable<Buffer> {
  const encoding = headers["content-encoding"] ?? "identity"
  if (!gzip || encoding === "identity") return body as AsyncIterable<Buffer>
  if (encoding !== "gzip")
    throw Object.assign(new Error(`${[encoding].flat().join()} was not requested`), { code: "Z_ENCODING" })
  const gunzip = createGunzip({ chunkSize: 65_536 })
  gunzip.on("error", () => undefined) // who reads it gets the error too
  body.on("error", (error) => gunzip.destroy(error))
  return body.pipe(gunzip)
}
