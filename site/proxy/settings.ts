import {
  between,
  duration,
  httpUrl,
  listenAddress,
  setting,
  settings,
  size,
  text,
  tracked,
} from "#core/config/settings.ts"
import { webSettings } from "#core/http/settings.ts"

/** What the original shared, and nothing else. */
const ORIGINAL_SELECTOR = '{job="project_usages",__name__=~"project_.*_usage"}'

/** Seconds for a whole response. */
export const upstreamTimeout = between(duration(0, Infinity), 0.1, 3600, "from 100ms to 1h")

export const proxySettings = {
  policy: setting(text, {
    flag: "--policy <file>",
    help: "who may read what: clients, tokens, issuers, certificates, limits; read again when it changes",
  }),
  token: setting(text, {
    env: ["PORTAL_AUTH_TOKEN"],
    help: "the token that the portal sends; or use --token-file",
    emptyCounts: true,
  }),
  tokenFile: setting(text, {
    flag: "--token-file <file>",
    help: "file of valid tokens, one per line, read again when it changes",
  }),
  upstream: tracked(
    setting(
      httpUrl,
      { flag: "--upstream <url>", help: "the site's Prometheus; may carry a path prefix" },
      "http://prometheus:9090",
    ),
  ),
  allow: tracked(
    settings(
      text,
      {
        flag: "--allow <selector>",
        help: "a selector that the portal may read; may be repeated (variable: one per line)",
        separator: "\n",
      },
      [ORIGINAL_SELECTOR],
    ),
  ),
  upstreamTimeout: tracked(
    setting(
      upstreamTimeout,
      {
        flag: "--upstream.timeout <duration>",
        help: "time for a whole answer; a scrape's own timeout can only shorten it",
      },
      "30s",
    ),
  ),
  responseBytes: tracked(
    setting(
      size,
      { flag: "--limit.response-bytes <size>", help: "bytes that an answer may have, as it is sent" },
      "256MiB",
    ),
  ),
  ...webSettings(":8000"),
  adminListenAddress: setting(
    listenAddress,
    { flag: "--admin.listen-address <host:port>", help: "address of /metrics and health, not for the outside" },
    ":8001",
  ),
}
