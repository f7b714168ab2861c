import { connect, isIPv6 } from "node:net"
import { setTimeout as delay } from "node:timers/promises"
import { type ConnectionFailure, describeFailure } from "#core/http/connection-failure.ts"

/** What came of a connection to one address. */
export interface Connection {
  readonly address: string
  /** Undefined where it is there. */
  readonly failure: ConnectionFailure | undefined
  readonly seconds: number
}

/** Addresses beyond these are not tried. */
export const MOST_ADDRESSES = 8

/** Milliseconds that the other addresses have when one responds. */
const GRACE = 1000

/** Connects to all addresses at once, and closes the connections. In the order of the addresses; never rejects. */
export async function connectToEach(
  addresses: readonly string[],
  port: number,
  signal: AbortSignal,
): Promise<readonly Connection[]> {
  const late = new AbortController()
  const ending = AbortSignal.any([signal, late.signal])
  const attempts = addresses.slice(0, MOST_ADDRESSES).map((address) => connectOnce(address, port, ending))
  const all = Promise.all(attempts)
  const first = Promise.any(
    attempts.map(async (attempt) => {
      if ((await attempt).failure !== undefined) throw new Error("not there")
    }),
  )
  await Promise.race([all, first.catch(() => all)])
  await Promise.race([all, delay(GRACE, undefined, { signal: late.signal }).catch(() => undefined)])
  late.abort()
  return all
}

function connectOnce(address: string, port: number, signal: AbortSignal): Promise<Connection> {
  const started = performance.now()
  const { promise, resolve } = Promise.withResolvers<Connection>()
  const socket = connect({ host: address, port, family: isIPv6(address) ? 6 : 4 })
  const end = (failure: ConnectionFailure | undefined): void => {
    signal.removeEventListener("abort", late)
    socket.destroy()
    resolve({ address, failure, seconds: (performance.now() - started) / 1000 })
  }
  const late = (): void => end("no_answer")
  socket.once("connect", () => end(undefined))
  socket.on("error", (error) => end(describeFailure(error).reason))
  if (signal.aborted) late()
  else signal.addEventListener("abort", late, { once: true })
  return promise
}
