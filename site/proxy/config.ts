import { verifiesCertificate } from "#core/http/web/client-certificate.ts"
import { Faults } from "#core/config/faults.ts"
import { UsageError } from "#core/errors.ts"
import { readWebConfig } from "#core/http/web/config.ts"
import { readText } from "#core/files/read-text.ts"
import { environmentPolicy } from "./policy/environment.ts"
import { policyFile, type PolicyFileOptions } from "./policy/load.ts"
import type { PolicyLoader } from "./policy/watch.ts"
import type { Address, Tracked, Values } from "#core/config/settings.ts"
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

function withoutFile(values: ProxyValues): PolicyLoader {
  const { token, tokenFile, allow, upstream, upstreamTimeout, responseBytes } = values
  const given = ({ value, isDefault }: Tracked<number>): number | undefined => (isDefault ? undefined : value)
  return environmentPolicy({
    token,
    tokenFile: tokenFile.value,
    allow: allow.value,
    upstream: upstream.value,
    upstreamTimeout: upstreamTimeout.value,
    responseBytes: responseBytes.value,
    bounds: {
      bytes: given(values.requestBytes),
      selectors: given(values.selectors),
      characters: given(values.selectorCharacters),
    },
  })
}

function withFile(file: string, values: ProxyValues, options: Omit<PolicyFileOptions, "noCertificates">): PolicyLoader {
  const places: readonly (readonly [Tracked<unknown>, key: string])[] = [
    [values.tokenFile, "tokens, as {file: NAME}"],
    [values.allow, "match of its entries"],
    [values.upstream, "upstreams"],
    [values.upstreamTimeout, "limits.upstream_timeout"],
    [values.responseBytes, "limits.response_bytes"],
    [values.requestBytes, "limits.request_bytes"],
    [values.selectors, "limits.selectors"],
    [values.selectorCharacters, "limits.selector_characters"],
  ]
  const faults = new Faults()
  for (const [{ isDefault, source }, key] of places) {
    if (!isDefault)
      faults.add(source, `is set beside --policy; write it into the policy, as ${key}, and remove it here`)
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
