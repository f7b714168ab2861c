import type { IncomingMessage, ServerResponse } from "node:http"
import type { Counts } from "./message/counts.ts"
import type { Sender } from "./senders/sender.ts"

/** Who sends a request; `using` ends what it takes of the sender's limits. */
export interface Admitted extends Disposable {
  /** Empty where everybody may write. */
  readonly name: string
  /** Undefined where everybody may write. */
  readonly sender: Sender | undefined
  /** Bytes that requests of it may have in flight. */
  readonly bytesInFlight: number
  /** Throws LimitExceeded where it sends more than it may. */
  take(received: Counts): void
  /** A request was handled: upstreams accepted so many of its series, for all tenants, and so many were set aside. */
  wrote(accepted: number, setAside: number): void
}

/** Finds out who sends a request; undefined where a response has been sent. Throws an error for the sender. */
export type Admit = (
  request: IncomingMessage,
  response: ServerResponse,
) => Admitted | undefined | Promise<Admitted | undefined>

const EVERYBODY: Admitted = {
  name: "",
  sender: undefined,
  bytesInFlight: Infinity,
  take: () => undefined,
  wrote: () => undefined,
  [Symbol.dispose]: () => undefined,
}

/** Without a file of senders, everybody who reaches the port may write, as with the original. */
export const admitEverybody: Admit = () => EVERYBODY
