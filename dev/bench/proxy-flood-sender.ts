import { randomBytes } from "node:crypto"
import { connect, type Socket } from "node:net"
import { constants, setPriority } from "node:os"

/** What to send, as JSON in the first argument. */
export interface Flood {
  readonly port: number
  /** Before each token, such as header and payload of a JWT that lacks nothing but a signature. */
  readonly prefix: string
  /** Each request has a connection of its own. */
  readonly fresh: boolean
  /** Requests a second. */
  readonly rate: number
  readonly seconds: number
}

/** What came back, as JSON on standard output. */
export interface Flooded {
  /** By status. */
  readonly responses: Readonly<Record<string, number>>
  /** Responses a second. */
  readonly rate: number
  /** Requests whose connection ended without a response. */
  readonly lost: number
}

/** Requests under way at most, and so connections: a flooder has his limits too. */
const MOST_OPEN = 256
const QUERY = "match%5B%5D=%7Bjob%3D%22project_usages%22%7D"

/** Sends requests with wrong tokens at a steady rate, no two the same. */
async function flood({ port, prefix, fresh, rate, seconds }: Flood): Promise<Flooded> {
  const responses: Record<string, number> = {}
  const idle: Socket[] = []
  let open = 0
  let lost = 0
  const close = fresh ? "Connection: close\r\n" : ""
  const send = (socket: Socket): void => {
    const token = `${prefix}${randomBytes(64).toString("base64url")}` // as long as an ECDSA signature
    socket.write(`GET /federate?${QUERY} HTTP/1.1\r\nHost: site\r\nAuthorization: Bearer ${token}\r\n${close}\r\n`)
  }
  const dial = (): void => {
    let due = 1
    const socket = connect({ port, host: "127.0.0.1", noDelay: true })
    send(socket)
    socket.on("data", (chunk) => {
      const status = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString("latin1", 0, 12))?.[1]
      if (status === undefined) return // the rest of a response
      responses[status] = (responses[status] ?? 0) + 1
      due--
      open--
      if (!fresh) idle.push(socket)
    })
    socket.on("error", () => undefined) // it is counted when the connection closes
    socket.on("close", () => {
      lost += due
      open -= due
    })
  }
  const begin = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    // what cannot be sent in time is left out: this is a rate, not a number
    const due = Math.floor(((performance.now() - begin) / 1000) * rate)
    for (sent = Math.max(sent, due - rate / 50); sent < due && open < MOST_OPEN; sent++) {
      open++
      const socket = idle.pop()
      if (socket === undefined) dial()
      else send(socket)
    }
  }, 1)
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  clearInterval(timer)
  const responded = Object.values(responses).reduce((sum, count) => sum + count, 0)
  return { responses, rate: responded / ((performance.now() - begin) / 1000), lost }
}

// where both share a processor, the scraper that is measured goes first
setPriority(constants.priority.PRIORITY_LOW)
const result = await flood(JSON.parse(process.argv[2] ?? "") as Flood)
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit())
