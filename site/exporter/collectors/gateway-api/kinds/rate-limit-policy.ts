import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT, kind } from "../kind.ts"

export const rateLimitPolicy = kind("RateLimitPolicy", "ratelimitpolicies", kuadrantPolicy, [KUADRANT])
