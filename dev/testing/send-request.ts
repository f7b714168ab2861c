import type { TestContext } from "node:test"
import type { SecureContextOptions } from "node:tls"
import { type Dispatcher, Pool } from "undici"

/** Milliseconds; longer than any response may take. */
const LONGEST_WAIT = 60_000

export interface ReceivedResponse {
  readonly status: number
  readonly headers: Dispatcher.ResponseData["headers"]
  readonly body: Buffer
}

/** Sends exactly these bytes as the path: no URL is parsed and printed again. */
export type SendRequest = (path: string, headers?: Record<string, string>) => Promise<ReceivedResponse>

export function connectTo(
  t: TestContext,
  url: string,
  always: Record<string, string> = {},
  tls: SecureContextOptions = {},
): SendRequest {
  const pool = new Pool(url, { connections: 4, connect: tls, headersTimeout: LONGEST_WAIT })
  t.after(() => pool.destroy())
  return async (path, headers = {}) => {
    const sent = pool.request({ method: "GET", path, headers: { ...always, ...headers } })
    const response = await sent.catch((cause: unknown) => {
      throw new Error(`no response to ${path}`, { cause })
    })
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.from(await response.body.arrayBuffer()),
    }
  }
}
