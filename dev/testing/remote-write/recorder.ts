import { once } from "node:events"
import { Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { type Element, elementsOf } from "./elements.ts"

/** A request of remote write that passed, and what it was answered. */
export interface Recorded {
  readonly headers: IncomingHttpHeaders
  readonly version: 1 | 2
  readonly body: Buffer
  /** Of X-Scope-OrgID; empty without one. */
  readonly tenant: string
  /** 0: there was no response. */
  readonly status: number
  readonly response: { readonly headers: IncomingHttpHeaders; readonly text: string }
  readonly elements: () => readonly Element[]
}

export interface Recorder {
  readonly port: number
  readonly url: string
  readonly requests: readonly Recorded[]
  close(): Promise<void>
}

/** A response in place of the one of the server behind. */
export interface Instead {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly text?: string
}

export interface RecorderOptions {
  /** Where requests go. */
  readonly port: () => number
  readonly address?: string
  /** Looks at a request before it goes on; what it returns is the response instead. */
  readonly intercept?: (request: {
    readonly tenant: string
    readonly body: Buffer
  }) => Instead | Promise<Instead | undefined> | undefined
}

/** Passes requests on to another port of loopback, and keeps what they were and how they ended. */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { port, address = "127.0.0.1", intercept } = options
  const requests: Recorded[] = []
  const agent = new Agent({ keepAlive: true })
  const server = createServer((incoming, outgoing) => {
    const handle = async (): Promise<void> => {
      // the proxy looks whether it is there
      if (incoming.method === "HEAD") return void outgoing.writeHead(405).end()
      const body = await buffer(incoming)
      const tenant = String(incoming.headers["x-scope-orgid"] ?? "")
      const version = String(incoming.headers["content-type"]).includes("v2.Request") ? 2 : 1
      const instead = await intercept?.({ tenant, body })
      const result =
        instead === undefined
          ? await forward(incoming, body, port(), agent).catch(() => undefined)
          : respondInstead(instead)
      requests.push({
        headers: incoming.headers,
        version,
        body,
        tenant,
        status: result?.status ?? 0,
        response: { headers: result?.headers ?? {}, text: result?.text.toString() ?? "" },
        elements: () => elementsOf(body, version),
      })
      if (result === undefined) return void outgoing.destroy()
      const { connection: _, "transfer-encoding": _chunked, ...headers } = result.headers
      outgoing.writeHead(result.status, headers).end(result.text)
    }
    // the sender has gone in the middle of its body
    handle().catch(() => outgoing.destroy())
  })
  server.listen(0, address)
  await once(server, "listening")
  const { port: own } = server.address() as AddressInfo
  return {
    port: own,
    url: `http://${address}:${own}`,
    requests,
    async close() {
      const closed = once(server, "close")
      server.close()
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}

interface Result {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: Buffer
}

const respondInstead = ({ status, headers = {}, text = "" }: Instead): Result => ({
  status,
  headers,
  text: Buffer.from(text),
})

async function forward(
  { method, url, headers }: IncomingMessage,
  body: Buffer,
  port: number,
  agent: Agent,
): Promise<Result> {
  const outgoing = request({ port, host: "127.0.0.1", method, path: url, headers, agent })
  outgoing.end(body)
  const [response] = (await once(outgoing, "response")) as [IncomingMessage]
  return { status: response.statusCode ?? 0, headers: response.headers, text: await buffer(response) }
}
