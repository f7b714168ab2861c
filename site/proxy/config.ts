import { verifiesCertificate } from "#core/http/web/client-certificate.ts"
import { Faults } from "#core/config/faults.ts"
import { UsageError } from "#core/errors.ts"
import { readWebConfig } from "#core/http/web/config.ts"
import { readText } from "#core/files/read-text.ts"
import { environmentPolicy } from "./policy/environment.ts"
import { policyFile, type PolicyFileOptions } from "./policy/load.ts"
import type { PolicyLoader } from "./policy/watch.ts"
import type { Address, Values } from "#core/config/settings.ts"
import type { proxySettings } from "./settings.ts"

type ProxyValues = Values<typeof proxySettings>

export interface ProxyConfig {
  readonly policy: PolicyLoader
  readonly addresses: readonly Address[]
  readonly adminAddress: Address
  readonly webConfigFile: string | undefined
}

/** Throws UsageError where a policy file and the flags of the mode without one are mixed. */
export function readProxyConfig(values: ProxyValues, options: Omit<PolicyFileOptions, "noCertificates">): ProxyConfig {
  return {
    policy: values.policy === undefined ? withoutFile(values) : withFile(values.policy, values, options),
    addresses: values.webListenAddress,
    adminAddress: values.adminListenAddress,
    webConfigFile: values.webConfigFile,
  }
}

function withoutFile({ token, tokenFile, allow, upstream, upstreamTimeout, responseBytes }: ProxyValues): PolicyLoader {
  return environmentPolicy({
    token,
    tokenFile,
    allow: allow.value,
    upstream: upstream.value,
    upstreamTimeout: upstreamTimeout.value,
    responseBytes: responseBytes.value,
  })
}

function withFile(file: string, values: ProxyValues, options: Omit<PolicyFileOptions, "noCertificates">): PolicyLoader {
  const places: readonly (readonly [where: string, isSet: boolean, key: string])[] = [
    // an empty variable is how a compose file takes it away
    ["PORTAL_AUTH_TOKEN", (values.token ?? "") !== "", "tokens, as {env: PORTAL_AUTH_TOKEN}"],
    ["--token-file", values.tokenFile !== undefined, "tokens, as {file: NAME}"],
    ["--allow", !values.allow.isDefault, "match of its entries"],
    ["--upstream", !values.upstream.isDefault, "upstreams"],
    ["--upstream.timeout", !values.upstreamTimeout.isDefault, "limits.upstream_timeout"],
    ["--limit.response-bytes", !values.responseBytes.isDefault, "limits.response_bytes"],
  ]
  const faults = new Faults()
  for (const [where, isSet, key] of places) {
    if (isSet) faults.add(where, `is set and --policy is given; its place is ${key} of the policy`)
  }
  faults.orThrow(UsageError)
  return policyFile(file, { ...options, noCertificates: () => whyNoCertificates(values.webConfigFile) })
}

async function whyNoCertificates(webConfigFile: string | undefined): Promise<string | undefined> {
  const needed = "client_auth_type VerifyClientCertIfGiven or RequireAndVerifyClientCert"
  if (webConfigFile === undefined) return `need TLS: give --web.config.file a file with ${needed}`
  const { tls } = await readWebConfig(webConfigFile, readText)
  const verified = tls !== undefined && verifiesCertificate(tls.clients.auth)
  return verified ? undefined : `are not verified by ${webConfigFile}: it needs ${needed}`
}
