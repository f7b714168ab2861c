import type { IncomingMessage, RequestListener, ServerResponse } from "node:http"
import type { Socket } from "node:net"

/** Requests that wait on one connection for the response before theirs. */
const MOST_WAITING = 100
/** Bytes that they take, about: what a request takes besides its headers, and all of them. */
const BYTES_OF_REQUEST = 2500
const MOST_BYTES_WAITING = 262_144
/** The longest time that a timer of Node can wait. */
const LONGEST_TIMER = 2 ** 31 - 1

interface Connection {
  /** The response under way. */
  current: ServerResponse | undefined
  waiting: { readonly request: IncomingMessage; readonly response: ServerResponse }[]
  bytesWaiting: number
  /** What its socket had read when a request was whole: the rest is of one that is not. */
  bytesRead: number
  /** Sent after the last response: what came then was no request. */
  epilogue: string | undefined
  /** Nothing is begun on it any more. */
  ending: boolean
}

interface Handlers {
  readonly handle: RequestListener
  /** Called before the connection of a client that does not wait for its responses is destroyed. */
  readonly flooded: (socket: Socket) => void
}

/**
 * The connections of a listener, on each of which one request is handled after the other. Node would hand over all that a
 * client sends without waiting for responses, any number, and report nothing about those whose turn has not come when the
 * client leaves.
 */
export function trackConnections({ handle, flooded }: Handlers) {
  const open = new Map<Socket, Connection>()

  function begin(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    connection.current = response
    response.on("close", ended)
    handle(request, response)
  }
  // one function for all responses: one for each would be garbage of every request
  function ended(this: ServerResponse): void {
    const { socket } = this.req
    const connection = open.get(socket)
    if (connection?.current !== this) return
    connection.current = undefined
    connection.bytesRead = socket.bytesRead
    if (socket.destroyed) return
    if (connection.ending) return socket.destroySoon()
    const next = connection.waiting.shift()
    if (next !== undefined) {
      connection.bytesWaiting -= bytesOf(next.request)
      begin(connection, next.request, next.response)
    } else if (connection.epilogue !== undefined) endWith(socket, connection.epilogue)
  }
  /** At once where no request is under way, else with the end of its response. */
  function end(socket: Socket, connection: Connection): void {
    connection.ending = true
    const { current } = connection
    if (current === undefined) socket.destroy()
    else if (!current.headersSent) current.setHeader("connection", "close")
  }

  return {
    add(socket: Socket): void {
      const nothing = { current: undefined, waiting: [], bytesWaiting: 0, bytesRead: 0, epilogue: undefined }
      open.set(socket, { ...nothing, ending: false })
      socket.once("close", () => open.delete(socket))
    },
    /** Whether requests can come on it: a connection whose TLS handshake is not over has none. */
    has: (socket: Socket): boolean => open.has(socket),
    receive: (request: IncomingMessage, response: ServerResponse): void => {
      const { socket } = request
      const connection = open.get(socket)
      if (connection === undefined) return // destroyed, and this is the rest of what had arrived
      if (connection.current === undefined) return begin(connection, request, response)
      connection.bytesWaiting += bytesOf(request)
      if (connection.waiting.length < MOST_WAITING && connection.bytesWaiting <= MOST_BYTES_WAITING) {
        return void connection.waiting.push({ request, response })
      }
      flooded(socket)
      open.delete(socket)
      socket.destroy()
    },
    /** Bytes that each connection without a request under way has read of its next one. */
    *unfinished(): Generator<readonly [Socket, number]> {
      for (const [socket, { current, bytesRead }] of open) {
        if (current === undefined) yield [socket, socket.bytesRead - bytesRead]
      }
    },
    /** Ends a connection with a whole response to what was no request, after those to the requests before it. */
    endMalformed(socket: Socket, response: string): void {
      const connection = open.get(socket)
      if (connection === undefined || !socket.writable || connection.current?.headersSent === true) {
        socket.destroy()
      } else if (connection.current?.req.complete === true) {
        connection.waiting = connection.waiting.filter(({ request }) => request.complete)
        connection.epilogue = response
      } else {
        endWith(socket, response)
      }
    },
    /** Ends a connection at a time, which may be far. */
    endAt(socket: Socket, time: number): void {
      let timer: NodeJS.Timeout
      const wait = (): void => {
        timer = setTimeout(check, Math.min(Math.max(0, time - Date.now()), LONGEST_TIMER)).unref()
      }
      const check = (): void => {
        const connection = open.get(socket)
        if (Date.now() < time) wait()
        else if (connection !== undefined) end(socket, connection)
      }
      wait()
      socket.once("close", () => clearTimeout(timer))
    },
    /** Ends all that are open, after the responses under way. */
    endAll(): void {
      for (const [socket, connection] of open) end(socket, connection)
    },
  }
}

function endWith(socket: Socket, text: string): void {
  socket.end(text, () => socket.destroy())
}

function bytesOf({ rawHeaders, url = "" }: IncomingMessage): number {
  return rawHeaders.reduce((sum, text) => sum + text.length, BYTES_OF_REQUEST + url.length)
}
