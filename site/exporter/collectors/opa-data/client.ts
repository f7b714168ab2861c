import type { ClientCredentials } from "#core/http/client-credentials.ts"
import { fetchStream, fetchText, RequestFailed, type StreamResponse, type TextResponse } from "#core/http/client.ts"
import type { Deadline } from "#core/retry/deadline.ts"
import { readFailure } from "./failure.ts"
import type { OpaTarget } from "./target.ts"

export interface OpaRequest {
  /** Below the target's own. */
  readonly path: string
  /** With its question mark. */
  readonly search?: string
  /** JSON, by POST; without it the request is a GET. */
  readonly body?: string
}

/** OPAs to which connections are kept: each TLS connection is 60 kB, of which 500 would be a quarter of the process. */
const MOST_KEPT = 100

export type OpaClient = ReturnType<typeof createOpaClient>

/** Sends requests to OPAs, which throw ReadFailure. Redirects are responses like any other. */
export function createOpaClient(credentials: Pick<ClientCredentials, "current">, defaultScheme: "http" | "https") {
  let closeConnection = false
  const addressOf = (
    { scheme = defaultScheme, address, port, path: below }: OpaTarget,
    { path, search = "" }: OpaRequest,
  ) => ({
    origin: `${scheme}://${address.includes(":") ? `[${address}]` : address}:${port}`,
    pathname: below + path,
    search,
  })
  const optionsOf = ({ body }: OpaRequest) => {
    const { agent: dispatcher, headers } = credentials.current()
    const options = { dispatcher, closeConnection, headers }
    if (body === undefined) return options
    return { ...options, method: "POST" as const, body, headers: { ...headers, "content-type": "application/json" } }
  }
  return {
    /** How many OPAs are read: where they are many, a connection is closed after its response. */
    expect: (targets: number): void => void (closeConnection = targets > MOST_KEPT),
    fetchText: (target: OpaTarget, request: OpaRequest, limit: number, deadline: Deadline): Promise<TextResponse> =>
      twice(() => fetchText(addressOf(target, request), { ...optionsOf(request), limit, deadline })),
    /** Hands the response, uncompressed, to `use`, which reads its body whole. */
    fetchStream: <T>(
      target: OpaTarget,
      request: OpaRequest,
      limit: number,
      deadline: Deadline,
      use: (response: StreamResponse) => Promise<T>,
    ): Promise<T> =>
      twice(async () => {
        const options = { ...optionsOf(request), limit, lifetime: deadline, gzip: true }
        using response = await fetchStream(addressOf(target, request), options)
        return await use(response)
      }),
  }
}

/** Once more where a kept connection may have been closed from the other side at this very moment. */
async function twice<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send().catch((error: unknown) => {
      if (error instanceof RequestFailed && ["hung_up", "reset", "cut"].includes(error.reason)) return send()
      throw error
    })
  } catch (error) {
    throw error instanceof RequestFailed ? readFailure(error) : error
  }
}
