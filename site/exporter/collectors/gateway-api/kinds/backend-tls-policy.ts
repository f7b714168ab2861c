import { policy } from "../families/policies.ts"
import { kind } from "../kind.ts"

export const backendTLSPolicy = kind("BackendTLSPolicy", "backendtlspolicies", policy)
