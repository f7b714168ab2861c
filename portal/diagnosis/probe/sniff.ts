import { connect } from "node:net"

/** Bytes that show what speaks. */
const ENOUGH = 64
const MILLISECONDS = 1000

/**
 * The first bytes that come from an address when it gets an HTTP request without any secret; empty where it closes or is
 * silent. Never rejects.
 */
export function firstBytes(address: string, port: number, signal: AbortSignal): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const ending = AbortSignal.any([signal, AbortSignal.timeout(MILLISECONDS)])
  const socket = connect({ host: address, port, signal: ending })
  let received = ""
  socket.write("GET /-/healthy HTTP/1.1\r\nHost: probe.invalid\r\nConnection: close\r\n\r\n")
  socket.on("data", (chunk: Buffer) => {
    received += chunk.toString("latin1")
    if (received.length >= ENOUGH) socket.destroy()
  })
  socket.on("error", () => undefined) // what came until then counts
  socket.once("close", () => resolve(received.slice(0, ENOUGH)))
  return promise
}
