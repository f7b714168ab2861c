import { policy } from "../families/policies.ts"
import { GATEWAY_API_EXPERIMENTAL, kind } from "../kind.ts"

export const xBackendTrafficPolicy = kind("XBackendTrafficPolicy", "xbackendtrafficpolicies", policy, [
  GATEWAY_API_EXPERIMENTAL,
])
