export const TOKEN = "rightful-token-7f3a"
export const SHARED = '{__name__=~"project_.*_usage",job="project_usages"}'
export const QUERY = `match%5B%5D=${encodeURIComponent(SHARED)}`

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
