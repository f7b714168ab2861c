import { once } from "node:events"
import { type AddressInfo, connect, createServer } from "node:net"

/** A port before another that counts the bytes of responses, TLS and headers included. */
export async function startCountingGate(
  port: number,
  closers: (() => unknown)[],
  at: { readonly host: string; readonly port: number } = { host: "127.0.0.1", port: 0 },
) {
  let bytes = 0
  const server = createServer((client) => {
    const upstream = connect(port, "127.0.0.1")
    upstream.on("data", (chunk: Buffer) => (bytes += chunk.length))
    client.pipe(upstream).pipe(client)
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => other.destroy()).on("close", () => other.destroy())
    }
    closers.unshift(() => client.destroy())
  }).listen(at.port, at.host)
  await once(server, "listening")
  closers.unshift(() => server.close())
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, bytes: () => bytes }
}
