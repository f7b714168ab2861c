import type { IncomingMessage, ServerResponse } from "node:http"
import type { ClientFailure } from "./client-failures.ts"

/** Exactly one in HTTP/1.1 (RFC 9112, 3.2), at most one before: with two, a server in front may have gone by the other. */
export function hasOneHost({ rawHeaders, httpVersionMinor }: IncomingMessage): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ""
    if (name.length !== 4 || name.toLowerCase() !== "host") continue
    if (!HOST.test(rawHeaders[index + 1] ?? "")) return false
    count++
  }
  return count === 1 || (count === 0 && httpVersionMinor !== 1)
}

/** A name, an address or an IPv6 address in brackets, with a port or none; or nothing, where the target names no host. */
const HOST = /^(?:\[[\da-f:.%a-z_~-]+\]|[\w.~!$&'()*+;=%-]*)(?::\d*)?$/i

const MALFORMED = "This is not a valid HTTP request."
const TEXT_PLAIN = ["content-type", "text/plain; charset=utf-8"]

/** Node leaves those beyond a number out, a second token or Host among them: what it leaves out is refused here. */
export const MOST_HEADERS = 200

export function hasManyHeaders({ rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.length > 2 * MOST_HEADERS
}

export function refuseManyHeaders(response: ServerResponse): void {
  const text = `A request has at most ${MOST_HEADERS} headers.\n`
  response.writeHead(431, ["connection", "close", ...TEXT_PLAIN, "content-length", String(text.length)]).end(text)
}

export function refuseMalformed(response: ServerResponse): void {
  const length = ["content-length", String(MALFORMED.length + 1)]
  response.writeHead(400, ["connection", "close", ...TEXT_PLAIN, ...length]).end(`${MALFORMED}\n`)
}

/** Of target and headers together. */
export interface HeaderLimit {
  readonly bytes: number
  /** What it is called where it can be chosen. */
  readonly setting?: string
}

interface Malformed {
  readonly failure: ClientFailure
  readonly response: string
  /** For the log, where it says more than the failure alone. */
  readonly text?: string
}

/** What came that is no request, and a whole response to it; undefined where nothing came: the connection broke. */
export function malformed(code = "", { bytes, setting }: HeaderLimit): Malformed | undefined {
  if (code === "HPE_HEADER_OVERFLOW") {
    const size = `more than ${bytes} bytes`
    const response = whole(
      "431 Request Header Fields Too Large",
      `The target and headers of the request have ${size}${setting === undefined ? "" : `, the limit ${setting}`}.`,
    )
    const todo = setting === undefined ? "" : `; raise the limit ${setting}, or let it request less at once`
    return { failure: "headers_too_large", response, text: `the target and headers of its request have ${size}${todo}` }
  }
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") {
    const response = whole("408 Request Timeout", "The request took too long to arrive.")
    return { failure: "request_timeout", response }
  }
  return code.startsWith("HPE_") ? { failure: "malformed", response: whole("400 Bad Request", MALFORMED) } : undefined
}

function whole(status: string, message: string): string {
  const type = TEXT_PLAIN.join(": ")
  return `HTTP/1.1 ${status}\r\nconnection: close\r\n${type}\r\ncontent-length: ${message.length + 1}\r\n\r\n${message}\n`
}
