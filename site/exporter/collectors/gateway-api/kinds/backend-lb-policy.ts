import { policy } from "../families/policies.ts"
import { kind } from "../kind.ts"

export const backendLBPolicy = kind("BackendLBPolicy", "backendlbpolicies", policy)
