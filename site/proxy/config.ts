import { whyNoCertificates } from "#core/http/web/why-no-certificates.ts"
import { Faults } from "#core/config/faults.ts"
import { UsageError } from "#core/errors.ts"
import { environmentPolicy } from "./policy/environment.ts"
import { policyFile, type PolicyFileOptions } from "./policy/load.ts"
import type { PolicyLoader } from "#core/federation/open-policy.ts"
import type { FederationConfig } from "#core/federation/start.ts"
import type { Tracked, Values } from "#core/config/settings.ts"
import type { proxySettings } from "./settings.ts"
import type { Policy } from "./policy/types.ts"

type ProxyValues = Values<typeof proxySettings>

export type ProxyConfig = FederationConfig<Policy>

/** Throws UsageError where a policy file and the flags of the mode without one are mixed. */
export function readProxyConfig(values: ProxyValues, options: Omit<PolicyFileOptions, "noCertificates">): ProxyConfig {
  return {
    policy: values.policy === undefined ? withoutFile(values) : withFile(values.policy, values, options),
    addresses: values.webListenAddress,
    adminAddress: values.adminListenAddress,
    webConfigFile: values.webConfigFile,
  }
}

function withoutFile(values: ProxyValues): PolicyLoader<Policy> {
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

function withFile(
  file: string,
  values: ProxyValues,
  options: Omit<PolicyFileOptions, "noCertificates">,
): PolicyLoader<Policy> {
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
