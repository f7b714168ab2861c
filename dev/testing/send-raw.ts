import { connect, type Socket } from "node:net"

/** What comes back for these bytes until the server closes the connection. */
export function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1")
  socket.setTimeout(30_000, () => socket.destroy(new Error("the server kept the connection open for 30 s")))
  socket.write(bytes, "latin1")
  return received(socket)
}

/** All bytes that come from now on until the connection is closed. */
export async function received(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.on("data", (chunk: Buffer) => chunks.push(chunk))
  // a reset is a response too: what came until then counts
  socket.on(
    "error",
    (error: NodeJS.ErrnoException) => ["ECONNRESET", "EPIPE"].includes(error.code ?? "") || reject(error),
  )
  socket.once("close", () => resolve())
  if (!socket.closed) await promise
  return Buffer.concat(chunks).toString("latin1")
}
