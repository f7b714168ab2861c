import { type Fault, FedstackError, UsageError } from "#core/errors.ts"
import { parseSelector } from "#core/promql/parse.ts"
import type { Selector } from "#core/promql/selector.ts"
import { webSettings } from "#core/server.ts"
import {
  type Address,
  duration,
  httpUrl,
  listenAddress,
  setting,
  settings,
  size,
  text,
  type Values,
} from "#core/settings.ts"
import { type Client, readTokenFile, readTokens } from "./clients.ts"

/** What the original shared, and nothing else. */
const ORIGINAL_SELECTOR = '{job="project_usages",__name__=~"project_.*_usage"}'

export const proxySettings = {
  token: setting(text, {
    env: ["PORTAL_AUTH_TOKEN"],
    help: "the token that the portal sends; or use --token-file",
    emptyCounts: true,
  }),
  tokenFile: setting(text, {
    flag: "--token-file <file>",
    help: "file of valid tokens, one per line, read again when it changes",
  }),
  upstream: setting(
    httpUrl,
    { flag: "--upstream <url>", help: "the site's Prometheus; may carry a path prefix" },
    "http://prometheus:9090",
  ),
  allow: settings(
    text,
    {
      flag: "--allow <selector>",
      help: "a selector that the portal may read; may be repeated (variable: one per line)",
      separator: "\n",
    },
    [ORIGINAL_SELECTOR],
  ),
  upstreamTimeout: setting(
    duration(0.1),
    {
      flag: "--upstream.timeout <duration>",
      help: "time for a whole answer; a scrape's own timeout can only shorten it",
    },
    "30s",
  ),
  responseBytes: setting(
    size,
    { flag: "--limit.response-bytes <size>", help: "bytes that an answer may have, as it is sent" },
    "256MiB",
  ),
  ...webSettings(":8000"),
  adminListenAddress: setting(
    listenAddress,
    { flag: "--admin.listen-address <host:port>", help: "address of /metrics and health, not for the outside" },
    ":8001",
  ),
}

export interface ProxyConfig {
  readonly client: Client
  /** Valid at the start; those of a file may change. */
  readonly tokens: readonly string[]
  readonly tokenFile: string | undefined
  readonly upstream: URL
  /** Seconds. */
  readonly upstreamTimeout: number
  readonly responseBytes: number
  readonly addresses: readonly Address[]
  readonly adminAddress: Address
  readonly webConfigFile: string | undefined
}

/** Checks the settings as a whole. Throws UsageError with every fault. */
export async function readProxyConfig(values: Values<typeof proxySettings>): Promise<ProxyConfig> {
  const { allowed, faults } = readAllowed(values.allow)
  const read = await tokensOf(values)
  faults.push(...read.faults)
  if (/[?#]/.test(values.upstream.href)) {
    faults.push({ where: "--upstream", message: "must not have a query or a fragment; a path prefix is fine" })
  }
  if (faults.length > 0) throw new UsageError(faults)
  return {
    client: { name: "portal", allowed },
    tokens: read.tokens,
    tokenFile: values.tokenFile,
    upstream: values.upstream,
    upstreamTimeout: values.upstreamTimeout,
    responseBytes: values.responseBytes,
    addresses: values.webListenAddress,
    adminAddress: values.adminListenAddress,
    webConfigFile: values.webConfigFile,
  }
}

async function tokensOf({ token, tokenFile }: Values<typeof proxySettings>): ReturnType<typeof readTokenFile> {
  if (tokenFile === undefined) {
    if (token === undefined)
      return noTokens("is not set; put the token there that the portal sends, or use --token-file")
    if (token.trim().includes("\n")) return noTokens("holds several lines; use --token-file for several tokens")
    return readTokens(token.trim(), "PORTAL_AUTH_TOKEN")
  }
  // an empty variable is how a compose file takes it away
  if (token !== undefined && token !== "") return noTokens("is set and --token-file is given; keep one of the two")
  return readTokenFile(tokenFile)
}

function noTokens(message: string): Awaited<ReturnType<typeof readTokenFile>> {
  return { tokens: [], faults: [{ where: "PORTAL_AUTH_TOKEN", message }] }
}

function readAllowed(texts: readonly string[]): { allowed: readonly Selector[]; faults: Fault[] } {
  const faults: Fault[] = []
  const allowed = texts.flatMap((one) => {
    try {
      const selector = parseSelector(one)
      if (selector.length > 0) return [selector]
      faults.push({ where: "--allow", message: `${one} has no matcher; say which series are shared` })
    } catch (error) {
      if (!(error instanceof FedstackError)) throw error
      faults.push({ where: "--allow", message: error.message })
    }
    return []
  })
  if (texts.length === 0) faults.push({ where: "--allow", message: "names no selector; say which series are shared" })
  return { allowed, faults }
}
