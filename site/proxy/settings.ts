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
import { loadEnvironment } from "./policy/environment.ts"
import type { LoadPolicy } from "./policy/watch.ts"

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
  /** Throws UsageError for flags and variables, ConfigurationError for files. */
  readonly loadPolicy: LoadPolicy
  readonly addresses: readonly Address[]
  readonly adminAddress: Address
  readonly webConfigFile: string | undefined
}

export function readProxyConfig(values: Values<typeof proxySettings>): ProxyConfig {
  return {
    loadPolicy: () => loadEnvironment(values),
    addresses: values.webListenAddress,
    adminAddress: values.adminListenAddress,
    webConfigFile: values.webConfigFile,
  }
}
