import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT_EXTENSIONS, kind } from "../kind.ts"

export const oidcPolicy = kind("OIDCPolicy", "oidcpolicies", kuadrantPolicy, [KUADRANT_EXTENSIONS])
