import type { FaultySite } from "./fault.ts"
import { httpSite, METRICS } from "./servers.ts"

const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, text = "") =>
  (): Promise<FaultySite> =>
    httpSite((_, response) => response.writeHead(code, { ...METRICS, ...headers }).end(text))

/** A login page stands before the proxy. */
export const redirects = status(302, { location: "https://sso.example.org/login" })
/** To where only the portal's own machine and network can go. */
export const redirectsInwards = status(307, { location: "http://169.254.169.254/latest/meta-data/" })
export const badRequest = status(400, {}, 'invalid parameter "match[]"\n')
export const notFound = status(404, {}, "404 page not found\n")
export const tooLongUrl = status(414)
export const serverError = status(500, {}, "internal error\n")
export const nginxClientClosed = status(499)
export const gatewayTimeout = status(504)
/** Another service. */
export const wrongServer = status(405, { allow: "POST" })
export const noContent = status(204)
export const cloudEdge = status(520)
