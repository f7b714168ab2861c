import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT, kind } from "../kind.ts"

export const authPolicy = kind("AuthPolicy", "authpolicies", kuadrantPolicy, [KUADRANT])
