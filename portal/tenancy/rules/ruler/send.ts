import { fetchBytes, fetchStream, RequestFailed, type RequestOptions, type StreamResponse } from "#core/http/client.ts"
import type { Sending } from "#core/http/client-credentials.ts"
import { VERSION } from "#core/metrics/registry.ts"
import { Deadline } from "#core/retry/deadline.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { RulerError } from "./errors.ts"
import type { RulerResponse } from "./responses.ts"

export interface RulerRequest {
  readonly method: "GET" | "POST" | "DELETE"
  /** Encoded. */
  readonly path: string
  readonly search?: string
  /** undefined: it is not for one tenant. */
  readonly tenant: TenantId | undefined
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Bytes that the response may have. */
  readonly limit: number
}

export type RulerRequests = ReturnType<typeof createRequests>

const USER_AGENT = `fedstack-rules/${VERSION}`

/** Requests to one ruler, each with a deadline of so many seconds. They throw RulerError where no whole response comes. */
export function createRequests({ origin }: URL, timeout: number, sending: () => Sending) {
  const optionsOf = ({ method, tenant, headers: own, body }: RulerRequest): RequestOptions => {
    const { agent, headers } = sending()
    return {
      method,
      dispatcher: agent,
      headers: {
        ...headers,
        ...own,
        "user-agent": USER_AGENT,
        ...(tenant === undefined ? {} : { "x-scope-orgid": tenant }),
        ...(body === undefined ? {} : { "content-type": "application/yaml" }),
      },
      ...(body === undefined ? {} : { body }),
    }
  }
  const addressOf = ({ path, search = "" }: RulerRequest) => ({ origin, pathname: path, search })

  return {
    async send(request: RulerRequest, signal: AbortSignal): Promise<RulerResponse> {
      const { method, path, limit } = request
      try {
        const options = { ...optionsOf(request), deadline: timeout, signal, limit }
        const { status, headers, body } = await fetchBytes(addressOf(request), options)
        return { method, path, status, headers, body }
      } catch (error) {
        throw errorOfRequest(error)
      }
    },
    /** The same with the body while it arrives, for `read`. */
    async stream<T>(
      request: RulerRequest,
      read: (response: StreamResponse) => Promise<T>,
      signal: AbortSignal,
    ): Promise<T> {
      using lifetime = new Deadline(timeout, signal)
      try {
        using response = await fetchStream(addressOf(request), {
          ...optionsOf(request),
          ...{ lifetime, limit: request.limit },
        })
        return await read(response)
      } catch (error) {
        throw errorOfRequest(error)
      }
    },
  }
}

function errorOfRequest(error: unknown): unknown {
  if (!(error instanceof RequestFailed)) return error
  if (error.reason === "aborted") return new RulerError("aborted", error.message)
  return new RulerError(OF_OTHERS.has(error.reason) ? "not_ruler" : "unreachable", error.message)
}

/** What no ruler does, however busy or broken. */
const OF_OTHERS: ReadonlySet<string> = new Set(["not_http", "tls_to_plain", "broken_encoding", "too_many_bytes"])
