import { once } from "node:events"
import { type AddressInfo, connect, createServer, type Socket } from "node:net"
import type { TestContext } from "node:test"

/** A TCP port in front of another, to break connections between two that know nothing of it. */
export interface Gate {
  readonly port: number
  /** Resets every connection, and each new one. */
  shut(): void
  /** Lets connections stand, but no byte through, as where a firewall has forgotten them. */
  hold(): void
  open(): void
}

export async function startGate(t: TestContext, port: number): Promise<Gate> {
  let state: "open" | "held" | "shut" = "open"
  const pairs = new Set<readonly [Socket, Socket]>()
  const server = createServer((client) => {
    if (state === "shut") return client.resetAndDestroy()
    const upstream = connect(port, "127.0.0.1")
    const pair = [client, upstream] as const
    pairs.add(pair)
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on("data", (chunk: Buffer) => state !== "held" && to.write(chunk))
      from.on("error", () => to.destroy()).on("close", () => to.destroy())
      from.once("close", () => pairs.delete(pair))
    }
    return undefined
  }).listen(0, "127.0.0.1")
  await once(server, "listening")
  const reset = (): void => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy()
      upstream.destroy()
    }
  }
  t.after(() => {
    reset()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    shut() {
      state = "shut"
      reset()
    },
    hold: () => void (state = "held"),
    open: () => void (state = "open"),
  }
}
