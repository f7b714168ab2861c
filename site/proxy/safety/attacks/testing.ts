import { QUERY, TOKEN } from "../../testing.ts"

/** Bytes that a client sends, and the statuses that come back for them. */
export interface Attack {
  readonly name: string
  readonly bytes: string
  readonly statuses: readonly number[]
}

export const PATH = `/federate?${QUERY}`
export const OURS: readonly string[] = ["Host: x", `Authorization: Bearer ${TOKEN}`]
export const CLOSE = "Connection: close"

/** A request in raw bytes; headers as they are given. */
export function raw(target: string, headers: readonly string[] = [...OURS, CLOSE], method = "GET", body = ""): string {
  return `${[`${method} ${target} HTTP/1.1`, ...headers].join("\r\n")}\r\n\r\n${body}`
}
