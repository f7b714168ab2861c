import { parseSelector } from "#core/promql/parse.ts"
import { remoteWriteConfig } from "../sites/remote-write-config.ts"
import type { SiteDetails } from "../status/overview.ts"

/** Where the portal does not know its own. */
const SOME_PORTAL = "https://portal.example.org/api/v1/write"

/** What a site that pushes has in its prometheus.yml, ready to be sent to its admin: it holds no secret. */
export function pushConfig({ match }: Pick<SiteDetails, "match">, url: string | undefined): string {
  const config = remoteWriteConfig(url ?? SOME_PORTAL, match.map(parseSelector))
  return url === undefined
    ? `# the URL is that of fedstack tenancy-proxy: the flag --push.url of the portal\n${config}`
    : config
}
