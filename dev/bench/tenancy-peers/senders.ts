import { connect, type Socket } from "node:net"
import { compressSync } from "snappy"
import { messageV1, messageV2, series } from "./body.ts"
import type { Version } from "./tally.ts"

/** Bodies of one version that take turns, each with a time of its own. */
export interface Bodies {
  readonly version: Version
  readonly decodedBytes: number
  readonly blocks: readonly Buffer[]
  /** Of one body. */
  readonly samples: number
}

/** As many as make no sender's resend of another one's. */
const BODIES = 8
const INTERVAL = 15_000

export function makeBodies(version: Version, count: number, tenants: number, start: number): Bodies {
  const labelSets = [...series(count, tenants)]
  const make = version === 1 ? messageV1 : messageV2
  const messages = Array.from({ length: BODIES }, (_, index) => make(labelSets, start + index * INTERVAL))
  const blocks = messages.map((message) => compressSync(message))
  return { version, decodedBytes: messages[0]?.length ?? 0, blocks, samples: count }
}

const HEADERS: Readonly<Record<Version, string>> = {
  1: "Content-Type: application/x-protobuf\r\nX-Prometheus-Remote-Write-Version: 0.1.0\r\n",
  2: "Content-Type: application/x-protobuf;proto=io.prometheus.write.v2.Request\r\nX-Prometheus-Remote-Write-Version: 2.0.0\r\n",
}

/**
 * Sends so many requests over as many connections as there are senders, each one after the other, and returns the
 * milliseconds of each. Throws where one is not accepted.
 */
export async function send(url: URL, bodies: Bodies, senders: number, requests: number): Promise<readonly number[]> {
  const times: number[] = []
  const heads = bodies.blocks.map((block) =>
    Buffer.from(
      `POST ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nUser-Agent: Prometheus/3.5.0\r\nContent-Encoding: snappy\r\n${HEADERS[bodies.version]}Content-Length: ${block.length}\r\n\r\n`,
    ),
  )
  let next = 0
  await Promise.all(
    Array.from({ length: senders }, async () => {
      const socket = connect({ port: Number(url.port), host: url.hostname, noDelay: true })
      try {
        while (next < requests) {
          const index = next++ % bodies.blocks.length
          const begin = performance.now()
          socket.cork()
          socket.write(heads[index] as Buffer)
          socket.write(bodies.blocks[index] as Buffer)
          socket.uncork()
          await accepted(socket)
          times.push(performance.now() - begin)
        }
      } finally {
        socket.destroy()
      }
    }),
  )
  return times
}

/** Reads a response, whose body, where it has one, is short. */
function accepted(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let text = ""
  const read = (chunk: Buffer): void => {
    text += chunk.toString("latin1")
    const end = text.indexOf("\r\n\r\n")
    if (end < 0 || text.length < end + 4 + lengthOf(text.slice(0, end))) return
    done(/^HTTP\/1\.1 20[04] /.test(text) ? undefined : text)
  }
  const broken = (error?: Error): void => done(error?.message ?? "the connection was closed")
  const done = (problem: string | undefined): void => {
    socket.off("data", read).off("close", broken).off("error", broken)
    if (problem === undefined) resolve()
    else reject(new Error(`a request was not accepted: ${problem}`))
  }
  socket.on("data", read).on("close", broken).on("error", broken)
  return promise
}

const lengthOf = (head: string): number => Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
