import type { Socket } from "node:net"

/** Milliseconds between two looks. */
const EVERY = 250
/** Bytes that a connection may well have read without a request: no reason to close it. */
const FEW = 4096

interface UnfinishedOptions {
  /** Bytes of all connections. */
  readonly most: number
  /** Bytes that each connection has read of a request that is not there yet. */
  readonly unfinished: () => Iterable<readonly [Socket, number]>
  /** Called before a connection is destroyed. */
  readonly tooMany: (socket: Socket) => void
}

/**
 * Bounds what requests take that never become whole: every client may begin them, on any number of connections. Those with the
 * most are closed. A request of a scraper is whole within milliseconds.
 */
export function boundUnfinishedHeaders({ most, unfinished, tooMany }: UnfinishedOptions) {
  const look = (): void => {
    const found = [...unfinished()].filter(([, bytes]) => bytes > FEW)
    let sum = found.reduce((total, [, bytes]) => total + bytes, 0)
    if (sum <= most) return
    for (const [socket, bytes] of found.toSorted(([, a], [, b]) => b - a)) {
      tooMany(socket)
      socket.destroy()
      if ((sum -= bytes) <= most) return
    }
  }
  const timer = setInterval(look, EVERY).unref()
  return { close: (): void => clearInterval(timer) }
}
