import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT, kind } from "../kind.ts"

export const tokenRateLimitPolicy = kind("TokenRateLimitPolicy", "tokenratelimitpolicies", kuadrantPolicy, [KUADRANT])
