import {
  httpUrl,
  inGroup,
  listenAddress,
  setting,
  settings,
  size,
  text,
  tracked,
  whole,
} from "#core/config/settings.ts"
import { MOST_CHARACTERS, MOST_SELECTORS, requestBytes, upstreamTimeout } from "#core/federation/settings.ts"
import { DEFAULT_BOUNDS } from "#core/promql/bounds.ts"
import { webSettings } from "#core/http/settings.ts"

/** What the original shared, and nothing else. */
const ORIGINAL_SELECTOR = '{job="project_usages",__name__=~"project_.*_usage"}'

export const proxySettings = {
  ...inGroup("Who may read what", {
    policy: setting(text, {
      flag: "--policy <file>",
      help: "Read clients, tokens, issuers, certificates and limits from this file, again whenever it changes",
    }),
    tokenFile: tracked(
      setting(text, {
        flag: "--token-file <file>",
        help: "Accept the tokens in this file, one per line; read again when it changes",
      }),
    ),
    token: setting(text, {
      env: ["PORTAL_AUTH_TOKEN"],
      help: "Accept this token of the portal; or use --token-file",
      emptyCounts: true,
    }),
    allow: tracked(
      settings(
        text,
        {
          flag: "--allow <selector>",
          help: "Let the portal read this selector; may be repeated (variable: one per line)",
          separator: "\n",
        },
        [ORIGINAL_SELECTOR],
      ),
    ),
  }),
  ...inGroup("Prometheus", {
    upstream: tracked(
      setting(
        httpUrl,
        { flag: "--upstream <url>", help: "Forward requests to this Prometheus; may have a path prefix" },
        "http://prometheus:9090",
      ),
    ),
    upstreamTimeout: tracked(
      setting(
        upstreamTimeout,
        {
          flag: "--upstream.timeout <duration>",
          help: "End a request to Prometheus after this time; a scrape's own timeout can only shorten it",
        },
        "30s",
      ),
    ),
    responseBytes: tracked(
      setting(
        size,
        { flag: "--limit.response-bytes <size>", help: "Refuse a response with more bytes than this, as it is sent" },
        "256MiB",
      ),
    ),
  }),
  ...inGroup("Requests", {
    requestBytes: tracked(
      setting(
        requestBytes,
        { flag: "--limit.request-bytes <size>", help: "Refuse a request whose target and headers have more bytes" },
        "256KiB",
      ),
    ),
    selectors: tracked(
      setting(
        whole(1, MOST_SELECTORS),
        { flag: "--limit.selectors <number>", help: "Refuse a request with more selectors" },
        String(DEFAULT_BOUNDS.selectors),
      ),
    ),
    selectorCharacters: tracked(
      setting(
        whole(1, MOST_CHARACTERS),
        { flag: "--limit.selector-characters <number>", help: "Refuse a selector with more characters" },
        String(DEFAULT_BOUNDS.characters),
      ),
    ),
  }),
  ...inGroup("Web server", {
    ...webSettings(":8000", false),
    adminListenAddress: setting(
      listenAddress,
      {
        flag: "--admin.listen-address <host:port>",
        help: "Serve /metrics and health on this address, which is not for clients",
      },
      ":8001",
    ),
  }),
}
