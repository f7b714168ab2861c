import { Agent, createServer, request as send } from "node:http"
import { buffer } from "node:stream/consumers"
import type { Cleanup } from "../../testing/kubernetes.ts"
import { freePort } from "../../testing/free-port.ts"
import { once } from "node:events"

/** A request that the ruler has responded to. */
export interface Recorded {
  readonly method: string
  readonly path: string
  readonly tenant: string
  readonly status: number
  /** Of `performance.now()`, when the response began. */
  readonly at: number
}

export interface Recorder {
  readonly url: string
  /** Since it was emptied last. */
  readonly calls: Recorded[]
}

/** Between a synchroniser and the ruler. */
export async function startRecorder(cleanup: Cleanup, ruler: string): Promise<Recorder> {
  const { hostname, port } = new URL(ruler)
  const calls: Recorded[] = []
  const agent = new Agent({ keepAlive: true })
  const server = createServer((request, response) => {
    const { method = "", url: path = "", headers } = request
    const upstream = send({ host: hostname, port, method, path, headers, agent }, (received) => {
      const tenant = String(headers["x-scope-orgid"])
      calls.push({ method, path, tenant, status: received.statusCode ?? 0, at: performance.now() })
      response.writeHead(received.statusCode ?? 502, received.headers)
      received.pipe(response)
    })
    upstream.on("error", () => request.socket.destroy())
    void buffer(request).then((body) => upstream.end(body))
  })
  server.keepAliveTimeout = 60_000 // a client that is busy finds its connections open
  const own = await freePort()
  server.listen(own, "127.0.0.1")
  await once(server, "listening")
  cleanup.after(async () => {
    server.closeAllConnections()
    server.close()
    agent.destroy()
    return Promise.resolve()
  })
  return { url: `http://127.0.0.1:${own}`, calls }
}
