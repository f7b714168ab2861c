import { createServer, type AddressInfo, type Socket } from "node:net"
import { Sum, type Tally, type Version } from "./tally.ts"

/** What it is requested for: what all tenants got since the last time, in this version. */
export interface Question {
  readonly version: Version
}

export interface Received {
  readonly requests: number
  readonly bytes: number
  readonly tenants: Readonly<Record<string, Tally>>
}

// In place of Cortex, at as little of the processor as Node can: bodies are kept as they come, and read when the round is over.

const OK = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
/** Counts are those of what was sent, at most. */
const NO_CONTENT = Buffer.from(
  `HTTP/1.1 204 No Content\r\n${["Samples", "Histograms", "Exemplars"]
    .map((kind) => `X-Prometheus-Remote-Write-${kind}-Written: 1000000\r\n`)
    .join("")}\r\n`,
)

const bodies = new Map<string, Buffer[][]>()
let requests = 0
let bytes = 0

function receive(socket: Socket): void {
  socket.setNoDelay(true)
  socket.on("error", () => socket.destroy())
  let head: Buffer = Buffer.alloc(0)
  let missing = 0
  let body: Buffer[] = []
  let response = OK
  socket.on("data", (chunk: Buffer) => {
    let rest = chunk
    while (rest.length > 0) {
      if (missing === 0) {
        head = head.length === 0 ? rest : Buffer.concat([head, rest])
        const end = head.indexOf("\r\n\r\n")
        if (end < 0) return
        const text = head.toString("latin1", 0, end)
        rest = head.subarray(end + 4)
        head = Buffer.alloc(0)
        missing = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1] ?? 0)
        response = text.includes("v2.Request") ? NO_CONTENT : OK
        body = []
        // the proxy looks whether it is there
        if (text.startsWith("HEAD ")) {
          socket.write(OK)
          continue
        }
        const tenant = /\r\nx-scope-orgid: *([^\r]*)/i.exec(text)?.[1] ?? ""
        const known = bodies.get(tenant)
        if (known === undefined) bodies.set(tenant, [body])
        else known.push(body)
        requests++
        bytes += missing
      }
      const part = rest.subarray(0, missing)
      body.push(part)
      missing -= part.length
      rest = rest.subarray(part.length)
      if (missing === 0) socket.write(response)
    }
  })
}

function report(version: Version): Received {
  const tenants: Record<string, Tally> = {}
  for (const [tenant, list] of bodies) {
    const sum = new Sum()
    for (const body of list) sum.add(Buffer.concat(body), version)
    tenants[tenant] = sum.tally
  }
  const received = { requests, bytes, tenants }
  bodies.clear()
  requests = 0
  bytes = 0
  return received
}

const server = createServer(receive).listen(0, "127.0.0.1", () =>
  process.send?.((server.address() as AddressInfo).port),
)
process.on("message", ({ version }: Question) => process.send?.(report(version)))
process.on("disconnect", () => process.exit())
