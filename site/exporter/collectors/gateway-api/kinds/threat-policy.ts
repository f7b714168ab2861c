import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT_EXTENSIONS, kind } from "../kind.ts"

export const threatPolicy = kind("ThreatPolicy", "threatpolicies", kuadrantPolicy, [KUADRANT_EXTENSIONS])
