import { kuadrantPolicy } from "../families/policies.ts"
import { KUADRANT_EXTENSIONS, kind } from "../kind.ts"

export const telemetryPolicy = kind("TelemetryPolicy", "telemetrypolicies", kuadrantPolicy, [KUADRANT_EXTENSIONS])
