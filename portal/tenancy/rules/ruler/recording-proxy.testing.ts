import { createServer, request as send } from "node:http"
import { pipeline } from "node:stream"
import type { TestContext } from "node:test"
import { listen } from "../../../../dev/testing/listen.ts"
import { receiveCall, type RulerCall } from "./ruler-call.testing.ts"

/** In place of the ruler's response; `undefined`: the ruler's own. */
type Instead = { readonly status: number; readonly text: string } | undefined

export interface RecordingProxy {
  readonly url: URL
  /** All calls since it began. */
  readonly calls: RulerCall[]
  /** Chosen anew for each call, which waits for it. */
  fault: (call: RulerCall) => Instead | Promise<Instead>
}

/** Passes everything on to a real ruler, byte by byte, and remembers the calls. */
export async function recordingProxy(t: TestContext, to: URL): Promise<RecordingProxy> {
  const proxy: Omit<RecordingProxy, "url"> = { calls: [], fault: () => undefined }
  const server = createServer((request, response) => {
    const { method, url: path, headers } = request
    void receiveCall(request).then(async (call) => {
      proxy.calls.push(call)
      const instead = await proxy.fault(call)
      if (instead !== undefined) return response.writeHead(instead.status).end(instead.text)
      const upstream = send({ host: to.hostname, port: to.port, method, path, headers }, (received) => {
        if (response.destroyed) return received.destroy()
        response.writeHead(received.statusCode ?? 502, received.headers)
        return pipeline(received, response, () => undefined)
      })
      // also what is down is passed on
      upstream.on("error", () => request.socket.destroy())
      return upstream.end(call.body)
    })
  })
  const port = await listen(t, server)
  return Object.assign(proxy, { url: new URL(`http://127.0.0.1:${port}/`) })
}
