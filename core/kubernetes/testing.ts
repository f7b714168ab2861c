import { once } from "node:events"
import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import type { AddressInfo } from "node:net"
import { text } from "node:stream/consumers"
import type { TestContext } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { type KubernetesApi, openKubernetes } from "./api.ts"

/** An API by hand, for what a real one cannot be made to do at will. */
export async function serveApi(t: TestContext, listener: RequestListener, user?: object): Promise<KubernetesApi> {
  const api = await openKubernetes({ kubeconfig: await serveKubeconfig(t, listener, user), env: {} })
  t.after(() => api.close())
  return api
}

/** The same as the path of a kubeconfig. */
export async function serveKubeconfig(
  t: TestContext,
  listener: RequestListener,
  user: object = { token: "secret" },
): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as AddressInfo
  const config = {
    "current-context": "test",
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } }],
    users: [{ name: "test", user }],
  }
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return temporaryFolder(t).write("config", JSON.stringify(config))
}

export interface FakeResponse {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: unknown
}

/** The same, with these responses one after the other, the last one for all that follow; `received` is what it was sent. */
export async function fakeApi(t: TestContext, responses: readonly FakeResponse[]) {
  const received: { readonly request: string; readonly contentType?: string; readonly body?: unknown }[] = []
  const api = await serveApi(t, (request, response) => {
    void read(request).then((message) => {
      const {
        status = 200,
        headers = {},
        body,
      } = responses[received.push(message) - 1] ?? responses.at(-1) ?? { body: {} }
      response.writeHead(status, headers).end(typeof body === "string" ? body : JSON.stringify(body))
    })
  })
  return { api, received }
}

async function read(message: IncomingMessage) {
  const body = await text(message)
  const request = `${message.method} ${message.url}`
  if (body === "") return { request }
  return { request, contentType: message.headers["content-type"] ?? "", body: JSON.parse(body) as unknown }
}
