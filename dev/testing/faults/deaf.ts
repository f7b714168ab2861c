import { once } from "node:events"
import { connect, createServer, type AddressInfo, type Socket } from "node:net"
import { Worker, workerData } from "node:worker_threads"
import type { FaultySite } from "./fault.ts"
import { siteAt } from "./servers.ts"

/** More than the kernel completes for a server that accepts none. */
const WAITING = 4

/**
 * Where a firewall drops packets: to connect takes for ever. The server of a thread that is busy for ever accepts no
 * connection, and the kernel drops what is beyond its backlog.
 */
export async function droppedPackets(): Promise<FaultySite> {
  const deafPort = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(new URL(import.meta.url), { workerData: { deafPort } })
  await Atomics.waitAsync(deafPort, 0, 0).value
  const [port = 0] = deafPort
  const waiting = Array.from({ length: WAITING }, (): Socket => connect(port, "127.0.0.1").on("error", () => undefined))
  await once(waiting[0] ?? worker, "connect")
  const close = async (): Promise<void> => {
    for (const socket of waiting) socket.destroy()
    await worker.terminate()
  }
  return siteAt(`http://127.0.0.1:${port}`, { close }, { entry: { timeout: "1s" } })
}

const { deafPort } = (workerData ?? {}) as { readonly deafPort?: Int32Array }
if (deafPort !== undefined) {
  const server = createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
    const { port } = server.address() as AddressInfo
    deafPort[0] = port
    Atomics.notify(deafPort, 0)
    Atomics.wait(deafPort, 0, port)
  })
}
