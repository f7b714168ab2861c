import type { ServerResponse } from "node:http"
import { createSecureServer as createHttp2Server, constants } from "node:http2"
import { type FaultySite, nothingToClose } from "./fault.ts"
import { httpSite, listening, METRICS, respondWithUsage, siteAt, tcpSite, usageLine } from "./servers.ts"
import { trusted } from "./certificates.ts"

/** Nothing listens on port 1. */
export const refused = (): Promise<FaultySite> =>
  Promise.resolve(siteAt("http://127.0.0.1:1", { close: nothingToClose }))

/** The connection stands, and nothing comes. */
export const silence = (): Promise<FaultySite> =>
  tcpSite((socket) => socket.resume(), "http", { entry: { timeout: "1s" } })

export const silenceInTls = (): Promise<FaultySite> =>
  tcpSite((socket) => socket.resume(), "https", { entry: { timeout: "1s" } })

/** A line each half second, for ever. */
export const drips = (): Promise<FaultySite> =>
  httpSite(
    (_, response) => {
      response.writeHead(200, METRICS).write(usageLine())
      const timer = setInterval(() => response.write("#\n"), 500)
      response.once("close", () => clearInterval(timer))
    },
    { entry: { timeout: "1s" } },
  )

export const hangsUp = (): Promise<FaultySite> => tcpSite((socket) => socket.on("data", () => socket.end()))

/** http:// where the site speaks TLS: Node's servers close. */
export const plainToTls = async (): Promise<FaultySite> => {
  const { entry, ...site } = await trusted()
  return { ...site, entry: { ...entry, url: entry.url.replace("https:", "http:"), tls: undefined } }
}

export const resets = (): Promise<FaultySite> => tcpSite((socket) => socket.on("data", () => socket.resetAndDestroy()))

export const resetsInTls = (): Promise<FaultySite> =>
  tcpSite((socket) => socket.on("data", () => socket.resetAndDestroy()), "https")

export const resetsInBody = (): Promise<FaultySite> =>
  httpSite((_, response) => {
    response.writeHead(200, METRICS)
    response.write(usageLine(), () => response.socket?.resetAndDestroy())
  })

/** The body is shorter than its length. */
export const breaksOff = (): Promise<FaultySite> =>
  httpSite((_, response) => {
    response.writeHead(200, { ...METRICS, "content-length": 10_000 })
    response.write(usageLine(), () => response.socket?.end())
  })

const banner = (scheme: "http" | "https"): Promise<FaultySite> =>
  tcpSite((socket) => socket.on("data", () => socket.end("SSH-2.0-OpenSSH_9.2\r\n")), scheme)

export const speaksSsh = (): Promise<FaultySite> => banner("http")
export const speaksSshNotTls = (): Promise<FaultySite> => banner("https")

export const badStatusLine = (): Promise<FaultySite> =>
  tcpSite((socket) => socket.on("data", () => socket.end("HTTP/1.1 abc OK\r\n\r\n")))

export const twoLengths = (): Promise<FaultySite> =>
  tcpSite((socket) =>
    socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\na 1\n")),
  )

/** https:// where the site speaks plain HTTP. */
export const tlsToPlain = async (): Promise<FaultySite> => {
  const { entry, ...site } = await httpSite((_, response) => respondWithUsage(response))
  return { ...site, entry: { ...entry, url: entry.url.replace("http:", "https:") } }
}

/** The server ends each stream of HTTP/2 with an error. */
const http2 = async (options: { readonly allowHTTP1: boolean }): Promise<FaultySite> => {
  const server = createHttp2Server({ ...trusted.options, ...options })
  server.on("stream", (stream) => {
    stream.on("error", () => undefined)
    stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  })
  server.on("sessionError", () => undefined)
  server.on("request", ({ httpVersion }, response) => {
    if (httpVersion === "1.1") respondWithUsage(response as unknown as ServerResponse)
  })
  const listener = await listening(server)
  return siteAt(`https://127.0.0.1:${listener.port}`, listener, trusted.additions)
}

/** As a load balancer whose HTTP/2 alone is broken. */
export const endsHttp2Streams = (): Promise<FaultySite> => http2({ allowHTTP1: true })
export const http2Only = (): Promise<FaultySite> => http2({ allowHTTP1: false })
