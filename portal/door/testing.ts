import { createServer, type IncomingMessage, type RequestListener } from "node:http"
import type { TestContext } from "node:test"
import type { Agent } from "undici"
import { openAgent } from "#core/http/agent.ts"
import { serve } from "#core/http/server.ts"
import { createLogger } from "#core/log/logger.ts"
import { listen } from "../../dev/testing/listen.ts"
import { addPassed, type DoorOptions } from "./door.ts"
import type { Passed } from "./passed.ts"
import { passedGrafana, passedPrometheus } from "./servers.ts"

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage["headers"]
  readonly body: string
}

/** An upstream that keeps what it receives, and responds as the test wants it to. */
export async function standIn(t: TestContext, respond: RequestListener = (_request, response) => response.end("{}")) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const { method = "", url = "", headers } = request
      received.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
      respond(request, response)
    })
  })
  return { received, url: `http://127.0.0.1:${await listen(t, server)}` }
}

export interface DoorTest extends Partial<DoorOptions> {
  readonly server?: "prometheus" | "grafana"
  readonly headers?: Readonly<Record<string, string>>
  readonly agent?: Agent
  readonly externalUrl?: string
}

/** The portal's port, with this server passed through. */
export async function openDoor(t: TestContext, upstream: string, options: DoorTest = {}) {
  const { server = "prometheus", headers = {}, agent = openAgent({}), externalUrl, ...rest } = options
  const lines: string[] = []
  const log = createLogger({ level: "info", format: "logfmt" }, "portal", (line) => lines.push(line))
  const passed = (server === "prometheus" ? passedPrometheus : passedGrafana)({
    url: new URL(`${upstream}/${server}/`),
    externalUrl: externalUrl === undefined ? undefined : new URL(externalUrl),
    sending: () => ({ agent, headers }),
  }) as Passed
  const serving = await serve({
    addresses: [{ host: "127.0.0.1", port: 0 }],
    webConfigFile: undefined,
    log,
    routes: (app) => addPassed(app, passed, { log, ...rest }),
  })
  t.after(async () => {
    await serving.close()
    await agent.destroy()
  })
  const port = serving.addresses[0]?.port ?? 0
  return { url: `http://127.0.0.1:${port}`, port, log: () => lines.join("") }
}
