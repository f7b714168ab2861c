import type { Run } from "./run.ts"
import type { Stack } from "./stack.ts"
import { table } from "./table.ts"

const SHARED = '{job="project_usages",__name__=~"project_.*_usage"}'
const EVERYTHING = '{__name__=~".+"}'

/** Sites that are listed; of more, the ports go on and the files say which. */
const LISTED = 10

/** Where everything is, two requests to try, how to stop a site, and what to watch. `stopped` is the folder for that. */
export function summary(
  { sites, portal }: Stack,
  { token, logs, folder }: Pick<Run, "token" | "logs" | "folder">,
  stopped: string,
): string {
  const addresses = table([
    ["", "", ""],
    ["portal", "page", `${portal.portal}/`],
    ["", "metrics", `${portal.portal}/metrics`],
    ["", "Prometheus", portal.prometheus],
    ...sites.slice(0, LISTED).flatMap(({ name, proxy, exporter, prometheus }) => [
      [name, "proxy", proxy],
      ["", "exporter", `${exporter}/metrics`],
      ["", "Prometheus", prometheus],
    ]),
    ...(sites.length > LISTED ? [["", `and ${sites.length - LISTED} more sites`, ""]] : []),
  ]).trimStart()
  const [first] = sites
  if (first === undefined) return addresses
  return `${addresses}
What ${first.name} shares with the portal (200):
  ${curl(first.proxy, token, SHARED)}
Anything else is refused (403):
  ${curl(first.proxy, token, EVERYTHING)}

Stop a site, and start it again:
  touch ${stopped}/${first.name}
  rm ${stopped}/${first.name}
Watch what becomes of it:
  ${portal.portal}/sites/${first.name}
  ${portal.prometheus}/alerts
  curl -s ${portal.prometheus}/api/v1/query --data-urlencode 'query=up{site!=""}'
  tail -F ${logs}/portal.log

Logs are in ${logs}, and stay there. Data is in ${folder} until Ctrl-C stops everything.`
}

function curl(proxy: string, token: string, selector: string): string {
  return `curl -i -H 'Authorization: Bearer ${token}' -G ${proxy}/federate --data-urlencode 'match[]=${selector}'`
}
