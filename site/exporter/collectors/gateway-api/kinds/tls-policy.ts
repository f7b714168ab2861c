import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT, kind } from "../kind.ts"

export const tlsPolicy = kind("TLSPolicy", "tlspolicies", kuadrantPolicy, [KUADRANT])
