import { createServer } from "node:http"
import { type FaultySite, nothingToClose } from "./fault.ts"
import { httpSite, listening, respondWithUsage, siteAt } from "./servers.ts"

const nowhere = (url: string, entry = {}): Promise<FaultySite> =>
  Promise.resolve(siteAt(url, { close: nothingToClose }, { entry }))

/** Reserved for names that do not exist (RFC 2606). */
export const unknownName = (): Promise<FaultySite> => nowhere("http://no-such-site.invalid")
export const failingNameServer = (): Promise<FaultySite> => nowhere("http://servfail.example.org")
export const refusingNameServer = (): Promise<FaultySite> => nowhere("http://refused.example.org")
/** The name has no address. */
export const nameWithoutAddress = (): Promise<FaultySite> => nowhere("http://nodata.example.org")
/** The scrape takes longer than the resolver waits. */
export const silentNameServer = (): Promise<FaultySite> =>
  nowhere("http://silent.example.org", { interval: "10s", timeout: "10s" })

/** No TCP goes to an address of many (RFC 1112), whatever the routes are. */
export const noRoute = (): Promise<FaultySite> => nowhere("http://224.0.0.1:9090")
export const unreachableHost = (): Promise<FaultySite> => nowhere("http://198.51.100.1")
export const noIpv6 = (): Promise<FaultySite> => nowhere("http://[2001:db8::1]")
export const prohibited = (): Promise<FaultySite> => nowhere("http://203.0.113.1")

/** A name with two addresses, of which the first is dead: nothing fails. */
export const oneOfTwoAddresses = async (): Promise<FaultySite> => {
  const { entry, ...site } = await httpSite((_, response) => respondWithUsage(response))
  return { ...site, entry: { ...entry, url: entry.url.replace("127.0.0.1", "two.example.org") } }
}

/** A name that leads to where clouds serve credentials: there is a service, and it knows no /federate. */
export const leadsInwards = async (): Promise<FaultySite> => {
  const server = await listening(
    createServer((_, response) => response.writeHead(404).end()),
    "169.254.169.254",
  )
  return siteAt(`http://internal.example.org:${server.port}`, server)
}
