import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT_EXTENSIONS, kind } from "../kind.ts"

export const planPolicy = kind("PlanPolicy", "planpolicies", kuadrantPolicy, [KUADRANT_EXTENSIONS])
