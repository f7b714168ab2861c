import type { Stack } from "./stack.ts"
import { table } from "./table.ts"

const SHARED = '{job="project_usages",__name__=~"project_.*_usage"}'
const EVERYTHING = '{__name__=~".+"}'

/** Where everything is, and two requests to try. */
export function summary({ sites, portal }: Stack, token: string): string {
  const addresses = table([
    ["", "", ""],
    ["portal", "metrics", `${portal.portal}/metrics`],
    ["", "Prometheus", portal.prometheus],
    ...sites.flatMap(({ name, proxy, exporter, prometheus }) => [
      [name, "proxy", proxy],
      ["", "exporter", `${exporter}/metrics`],
      ["", "Prometheus", prometheus],
    ]),
  ]).trimStart()
  const [first] = sites
  if (first === undefined) return addresses
  return `${addresses}
What ${first.name} shares with the portal (200):
  ${curl(first.proxy, token, SHARED)}
Anything else is refused (403):
  ${curl(first.proxy, token, EVERYTHING)}
`
}

function curl(proxy: string, token: string, selector: string): string {
  return `curl -i -H 'Authorization: Bearer ${token}' -G ${proxy}/federate --data-urlencode 'match[]=${selector}'`
}
