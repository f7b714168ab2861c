import { createServer } from "node:http"
import { createServer as createTcpServer } from "node:net"
import { closeAll } from "#core/closable.ts"
import { readdir, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { trusted } from "./certificates.ts"
import type { FaultySite } from "./fault.ts"
import { httpSite, listening, respondWithUsage } from "./servers.ts"

const usage = (additions: Parameters<typeof httpSite>[1]): Promise<FaultySite> =>
  httpSite((_, response) => respondWithUsage(response), additions)

/** The files that the portal wrote for a site. */
async function written(folder: string, start: string): Promise<readonly string[]> {
  const files = (await readdir(folder)).filter((file) => file.startsWith(start))
  if (files.length === 0) throw new Error(`the portal has written no ${start}… in ${folder}`)
  return files.map((file) => join(folder, file))
}

/** Prometheus finds no token where the portal wrote it, as with another folder or group. */
export const missingToken = (): Promise<FaultySite> =>
  usage({
    spoil: async (configDir, site) => {
      for (const file of await written(join(configDir, "tokens"), `${site}.`)) await rm(file)
    },
  })

export const tokenOfTwoLines = (): Promise<FaultySite> =>
  usage({
    spoil: async (configDir, site) => {
      for (const file of await written(join(configDir, "tokens"), `${site}.`)) await writeFile(file, "two\nlines\n")
    },
  })

/** Prometheus cannot read the authority, and so makes no job at all. */
export const missingAuthority = async (): Promise<FaultySite> => ({
  ...(await trusted()),
  spoil: async (configDir, site) => {
    for (const file of await written(join(configDir, "tls"), `${site}.ca.pem`)) await rm(file)
  },
})

export const forwardProxyRefuses = (): Promise<FaultySite> => usage({ entry: { proxy_url: "http://127.0.0.1:1" } })

/** A forward proxy that makes no tunnel, with this status. */
async function forwardProxy(status: string): Promise<FaultySite> {
  const proxy = await listening(
    createServer((_, response) => response.writeHead(502).end()).on("connect", (_, socket) =>
      socket.end(`HTTP/1.1 ${status}\r\n\r\n`),
    ),
  )
  const site = await trusted()
  return {
    ...site,
    entry: { ...site.entry, proxy_url: `http://127.0.0.1:${proxy.port}` },
    close: () => closeAll([site, proxy]),
  }
}

export const forwardProxyWantsCredentials = (): Promise<FaultySite> => forwardProxy("407 Proxy Authentication Required")
/** Words that nobody knows. */
export const forwardProxyDeviates = (): Promise<FaultySite> => forwardProxy("418 I'm a teapot")

/** The token server of a site with oauth2, and the site, which nothing is wrong with. */
async function withTokenServer(server: Parameters<typeof listening>[0]): Promise<FaultySite> {
  const [endpoint, site] = await Promise.all([listening(server), usage({ files: SECRET })])
  const oauth2 = {
    client_id: "portal",
    client_secret_file: "fault.secret",
    token_url: `http://127.0.0.1:${endpoint.port}/token`,
  }
  return { ...site, entry: { url: site.entry.url, oauth2 }, close: () => closeAll([endpoint, site]) }
}
const SECRET = { "fault.secret": "fault-secret-91d7e0\n" }

const tokenServer = (status: number, type: string, body: string): Promise<FaultySite> =>
  withTokenServer(createServer((_, response) => response.writeHead(status, { "content-type": type }).end(body)))

export const unknownClient = (): Promise<FaultySite> =>
  tokenServer(401, "application/json", '{"error":"invalid_client","error_description":"unknown client"}')
export const tokenServerInHtml = (): Promise<FaultySite> => tokenServer(200, "text/html", "<html>")
export const tokenServerWithoutToken = (): Promise<FaultySite> => tokenServer(200, "application/json", "{}")
/** Prometheus waits without a deadline, and does not end on SIGTERM. */
export const tokenServerHangs = (): Promise<FaultySite> => withTokenServer(createTcpServer((socket) => socket.resume()))
