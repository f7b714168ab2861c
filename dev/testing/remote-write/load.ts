import { setTimeout as delay } from "node:timers/promises"
import { bodyOf, HEADERS, write, type WrittenSample } from "./write.ts"

export interface Load {
  /** Requests that a 2xx was for. */
  acknowledged(): number
  /** Responses by status; 0 where there was none. */
  readonly responses: ReadonlyMap<number, number>
  /** Ends when each writer has its last response. */
  stop(): Promise<void>
}

export interface LoadOptions {
  readonly url: string
  readonly writers: number
  /** Each request has a sample of each of them. */
  readonly tenants: (writer: number) => readonly string[]
  readonly version: (writer: number) => 1 | 2
  /** Requests of each writer; without it, until it is stopped. */
  readonly requests?: number
}

/** Writers that each send one request after the other, and one again until there is a response that is final. */
export function startLoad({ url, writers, tenants, version, requests = Infinity }: LoadOptions): Load {
  const stopping = new AbortController()
  const responses = new Map<number, number>()
  const begin = Date.now()
  const writer = async (number: number): Promise<void> => {
    for (let round = 0; round < requests && !stopping.signal.aborted; round += 1) {
      const samples = tenants(number).map((tenant): WrittenSample => ({
        labels: { __name__: "load", writer: String(number), ...(tenant !== "" && { tenant_id: tenant }) },
        value: round,
        timestamp: begin + round,
      }))
      const body = bodyOf(samples, version(number))
      while (!stopping.signal.aborted) {
        const status = await write(url, body, HEADERS[version(number)]).then(
          (response) => response.status,
          () => 0,
        )
        responses.set(status, (responses.get(status) ?? 0) + 1)
        if (status !== 0 && status !== 429 && status < 500) break
        await delay(20)
      }
    }
  }
  const done = Promise.all(Array.from({ length: writers }, (_, number) => writer(number)))
  return {
    acknowledged: () => [200, 204].reduce((sum, status) => sum + (responses.get(status) ?? 0), 0),
    responses,
    async stop() {
      if (requests === Infinity) stopping.abort()
      await done
    },
  }
}
