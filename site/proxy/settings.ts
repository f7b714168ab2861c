import { verifiesCertificate } from "#core/http/web/client-certificate.ts"
import { UsageError } from "#core/errors.ts"
import { webSettings } from "#core/http/server.ts"
import {
  type Address,
  httpUrl,
  listenAddress,
  setting,
  type Setting,
  settings,
  size,
  text,
  type Values,
} from "#core/config/settings.ts"
import { readWebConfig } from "#core/http/web/config.ts"
import { readText } from "#core/files/read-text.ts"
import { environmentPolicy } from "./policy/environment.ts"
import { policyFile, type PolicyFileOptions } from "./policy/load.ts"
import { wholeAnswer } from "./policy/schema.ts"
import type { PolicyLoader } from "./policy/watch.ts"

/** What the original shared, and nothing else. */
const ORIGINAL_SELECTOR = '{job="project_usages",__name__=~"project_.*_usage"}'

/** Undefined where nobody set it, so that it can be told from its default. */
const whenGiven = <T>(definition: Setting<T>): Setting<T | undefined> => ({
  ...definition,
  read: (texts) => (texts === undefined ? undefined : definition.read(texts)),
})

const UPSTREAM = "http://prometheus:9090"
const UPSTREAM_TIMEOUT = 30
const RESPONSE_BYTES = 256

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
  upstream: whenGiven(
    setting(httpUrl, { flag: "--upstream <url>", help: "the site's Prometheus; may carry a path prefix" }, UPSTREAM),
  ),
  allow: whenGiven(
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
  upstreamTimeout: whenGiven(
    setting(
      wholeAnswer,
      {
        flag: "--upstream.timeout <duration>",
        help: "time for a whole answer; a scrape's own timeout can only shorten it",
      },
      `${UPSTREAM_TIMEOUT}s`,
    ),
  ),
  responseBytes: whenGiven(
    setting(
      size,
      { flag: "--limit.response-bytes <size>", help: "bytes that an answer may have, as it is sent" },
      `${RESPONSE_BYTES}MiB`,
    ),
  ),
  ...webSettings(":8000"),
  adminListenAddress: setting(
    listenAddress,
    { flag: "--admin.listen-address <host:port>", help: "address of /metrics and health, not for the outside" },
    ":8001",
  ),
}

export interface ProxyConfig {
  readonly policy: PolicyLoader
  readonly addresses: readonly Address[]
  readonly adminAddress: Address
  readonly webConfigFile: string | undefined
}

/** Throws UsageError where a policy file and the flags of the mode without one are mixed. */
export function readProxyConfig(
  values: Values<typeof proxySettings>,
  options: Omit<PolicyFileOptions, "noCertificates">,
): ProxyConfig {
  const { webConfigFile } = values
  return {
    policy: values.policy === undefined ? withoutFile(values) : withFile(values.policy, values, options),
    addresses: values.webListenAddress,
    adminAddress: values.adminListenAddress,
    webConfigFile,
  }
}

function withoutFile({ token, tokenFile, allow, upstream, upstreamTimeout, responseBytes }: Given): PolicyLoader {
  return environmentPolicy({
    token,
    tokenFile,
    allow: allow ?? [ORIGINAL_SELECTOR],
    upstream: upstream ?? new URL(UPSTREAM),
    upstreamTimeout: upstreamTimeout ?? UPSTREAM_TIMEOUT,
    responseBytes: responseBytes ?? RESPONSE_BYTES * 2 ** 20,
  })
}

type Given = Values<typeof proxySettings>

function withFile(file: string, values: Given, options: Omit<PolicyFileOptions, "noCertificates">): PolicyLoader {
  const places: readonly (readonly [where: string, value: unknown, key: string])[] = [
    // an empty variable is how a compose file takes it away
    ["PORTAL_AUTH_TOKEN", values.token === "" ? undefined : values.token, "tokens, as {env: PORTAL_AUTH_TOKEN}"],
    ["--token-file", values.tokenFile, "tokens, as {file: NAME}"],
    ["--allow", values.allow, "match of its entries"],
    ["--upstream", values.upstream, "upstreams"],
    ["--upstream.timeout", values.upstreamTimeout, "limits.upstream_timeout"],
    ["--limit.response-bytes", values.responseBytes, "limits.response_bytes"],
  ]
  const faults = places
    .filter(([, value]) => value !== undefined)
    .map(([where, , key]) => ({ where, message: `is set and --policy is given; its place is ${key} of the policy` }))
  if (faults.length > 0) throw new UsageError(faults)
  return policyFile(file, { ...options, noCertificates: () => whyNoCertificates(values.webConfigFile) })
}

async function whyNoCertificates(webConfigFile: string | undefined): Promise<string | undefined> {
  const needed = "client_auth_type VerifyClientCertIfGiven or RequireAndVerifyClientCert"
  if (webConfigFile === undefined) return `need TLS: give --web.config.file a file with ${needed}`
  const { tls } = await readWebConfig(webConfigFile, readText)
  const verified = tls !== undefined && verifiesCertificate(tls.clients.auth)
  return verified ? undefined : `are not verified by ${webConfigFile}: it needs ${needed}`
}
