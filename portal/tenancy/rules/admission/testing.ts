import type { Problem } from "../validation/problem.ts"
import { isFields } from "../fields.ts"
import type { Judging } from "./judge.ts"

/** A validation that refuses rules whose expression is `bad`, and notices others by their word. */
export const judging: Judging = {
  target: () => "cortex-1.21",
  *validate(group) {
    yield
    return { problems: problemsOf(group) }
  },
}

function problemsOf(group: unknown): readonly Problem[] {
  if (!isFields(group)) return [{ severity: "error", check: "group", path: [], message: "must be a map" }]
  const rules: readonly unknown[] = Array.isArray(group.rules) ? group.rules : []
  return rules.flatMap((rule, index): readonly Problem[] => {
    const expr = isFields(rule) ? rule.expr : undefined
    const at = { check: "promql/syntax", path: ["rules", index, "expr"] }
    if (expr === "bad") return [{ ...at, severity: "error", span: { from: 1, to: 2 }, message: "unexpected d" }]
    if (expr === "odd") return [{ ...at, severity: "unchecked", message: "chains of 650 operators" }]
    if (expr === "dull") return [{ ...at, severity: "lint", message: `fires always ${"!".repeat(300)}` }]
    return []
  })
}

export const resource = (groups: unknown, rest: object = {}) => ({
  apiVersion: "open-metrics.vgs.io/v1",
  kind: "OpenMetricsRule",
  metadata: { name: "a", namespace: "x", ...rest },
  spec: { tenants: ["red"], groups },
})

export const group = (name: string, ...exprs: readonly string[]) => ({
  name,
  rules: exprs.map((expr) => ({ alert: `Is ${expr}`, expr })),
})

export const review = (request: object) => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: {
    uid: "1-2-3",
    operation: "CREATE",
    resource: { group: "open-metrics.vgs.io", version: "v1", resource: "openmetricsrules" },
    ...request,
  },
})
