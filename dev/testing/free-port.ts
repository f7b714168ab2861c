import { randomInt } from "node:crypto"
import { once } from "node:events"
import { createServer, type Server } from "node:net"

/** Below those that systems give to outgoing connections and to who listens on port 0: 32768 and up, or 49152 and up. */
const [FIRST, END] = [20_000, 32_768]
const ATTEMPTS = 100

/** Ports of 127.0.0.1 that are free now, all different: for programs that cannot choose one themselves. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = new Map<number, Server>()
  for (let attempt = 0; held.size < count; attempt += 1) {
    const port = randomInt(FIRST, END)
    const server = createServer().listen(port, "127.0.0.1")
    try {
      await once(server, "listening")
      held.set(port, server)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || attempt > count + ATTEMPTS) throw error
    }
  }
  await Promise.all([...held.values()].map((server) => once(server.close(), "close")))
  return [...held.keys()]
}

export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1)
  return port
}
