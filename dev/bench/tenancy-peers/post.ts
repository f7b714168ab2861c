import { fork } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:http"
import { type AddressInfo, connect, type Socket } from "node:net"
import { Agent, request } from "undici"
import { openAgent } from "#core/http/agent.ts"
import { Deadline } from "#core/retry/deadline.ts"
import { requestHeaders } from "../../../portal/tenancy/remote-write/forward/headers.ts"
import { post } from "../../../portal/tenancy/remote-write/forward/post.ts"
import type { TenantId } from "../../../portal/tenancy/tenants/tenant.ts"

// What a POST upstream costs: 20 at once, as of a request of 20 tenants, on connections that are kept.

const BYTES = 7_400
const AT_ONCE = 20
const ROUNDS = 2_000
const WARM = 300

if (process.send !== undefined) serve()
else await measure()

function serve(): void {
  const server = createServer((received, response) => {
    received.resume()
    received.once("end", () => response.writeHead(204).end())
  })
  server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port))
}

async function measure(): Promise<void> {
  const child = fork(import.meta.filename)
  const [port] = (await once(child, "message")) as [number]
  const body = randomBytes(BYTES)
  for (const [name, send] of Object.entries(kindsOf(port, body))) {
    const round = (): Promise<unknown> => Promise.all(Array.from({ length: AT_ONCE }, send))
    for (let done = 0; done < WARM; done++) await round()
    const before = process.cpuUsage()
    for (let done = 0; done < ROUNDS; done++) await round()
    const { user, system } = process.cpuUsage(before)
    process.stdout.write(
      `${name.padEnd(20)} ${((user + system) / 1000 / ROUNDS).toFixed(2)} ms of CPU for ${AT_ONCE}\n`,
    )
  }
  child.kill()
  process.exit()
}

function kindsOf(port: number, body: Buffer): Readonly<Record<string, () => Promise<unknown>>> {
  const url = new URL(`http://127.0.0.1:${port}/api/v1/push`)
  const headers = requestHeaders("team-a" as TenantId, 1, 0, [])
  const agent = openAgent({ keepAlive: 30 })
  const dispatcher = new Agent({ pipelining: 1 })
  return {
    async "undici.request"() {
      const response = await request(url, { method: "POST", headers, body, dispatcher })
      await response.body.dump()
    },
    async "post.ts"() {
      using deadline = new Deadline(20)
      await post(agent, url, { headers, body }, deadline)
    },
    "socket by hand": onSockets(port, headers, body),
  }
}

/** The least that it can cost in Node: no deadline, and nothing is understood of the response. */
function onSockets(port: number, headers: readonly string[], body: Buffer): () => Promise<void> {
  const idle: Socket[] = []
  const lines = headers.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join("")
  const head = `POST /api/v1/push HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n${lines}content-length: ${body.length}\r\n\r\n`
  return () => {
    const socket = idle.pop() ?? connect(port, "127.0.0.1")
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once("data", () => {
      idle.push(socket)
      resolve()
    })
    socket.cork()
    socket.write(head, "latin1")
    socket.write(body)
    socket.uncork()
    return promise
  }
}
