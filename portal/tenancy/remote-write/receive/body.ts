import type { IncomingMessage } from "node:http"
import { free } from "../../wire/free.ts"
import { bodyTooLarge } from "../errors.ts"
import type { BodyLimit } from "./head.ts"
import type { Reservation } from "./room.ts"

/** The sender went away, or its connection broke, before its body was whole. */
export class SenderGone extends Error {}

/** The whole body. Throws an error for the sender, or SenderGone. */
export function readBody(request: IncomingMessage, limit: BodyLimit, reservation: Reservation): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const stop = (error: unknown): void => {
    request.off("data", take)
    chunks.length = 0
    reject(error)
  }
  const take = (chunk: Buffer): void => {
    length += chunk.length
    try {
      if (length > limit.most) throw bodyTooLarge(limit)
      reservation.add(chunk.length)
      chunks.push(chunk)
    } catch (error) {
      stop(error)
    }
  }
  request.on("data", take)
  const leave = (): void => stop(new SenderGone())
  request.once("end", () => {
    request.off("close", leave)
    const [only] = chunks
    if (only !== undefined && chunks.length === 1) return resolve(only)
    resolve(Buffer.concat(chunks, length))
    for (const chunk of chunks) free(chunk)
  })
  request.once("error", leave)
  request.once("close", leave)
  return promise
}
