import type { RuleGroup } from "../../../portal/tenancy/rules/model/group.ts"

export interface BenchResource {
  readonly apiVersion: "open-metrics.vgs.io/v1"
  readonly kind: "OpenMetricsRule"
  readonly metadata: { readonly namespace: string; readonly name: string }
  readonly spec: { readonly tenants: readonly string[]; readonly groups: readonly RuleGroup[] }
}

const GROUPS_OF_ONE = 4

/** A group as people write them; the interval keeps the ruler from evaluating while it is measured. */
export function makeGroup(index: number, threshold = 0.9, rules = 3): RuleGroup {
  const service = `service-${index}`
  return {
    name: `${service}.rules`,
    interval: "4h",
    rules: Array.from({ length: rules }, (_, at) =>
      at === 0
        ? {
            record: "service:requests:rate5m",
            expr: `sum by (service, code) (rate(http_requests_total{service="${service}"}[5m]))`,
            labels: { service },
          }
        : {
            alert: `TooManyErrors${at}`,
            expr: `sum by (service) (rate(http_requests_total{service="${service}",code=~"5.."}[${at * 5}m]))\n  / sum by (service) (rate(http_requests_total{service="${service}"}[${at * 5}m])) > ${threshold}`,
            for: `${at * 5}m`,
            labels: { severity: at % 2 === 0 ? "page" : "ticket", team: `team-${index % 17}` },
            annotations: {
              summary: `{{ $labels.service }} fails for {{ $value | humanizePercentage }} of its requests`,
              runbook: `https://runbooks.example.org/${service}`,
            },
          },
    ),
  }
}

/** Resources of two namespaces, each with four groups for all tenants. */
export function makeResources(groups: number, tenants: readonly string[]): readonly BenchResource[] {
  return Array.from({ length: Math.ceil(groups / GROUPS_OF_ONE) }, (_, index) => {
    const begin = index * GROUPS_OF_ONE
    const count = Math.min(GROUPS_OF_ONE, groups - begin)
    return makeResource(
      NAMESPACES[index % 2] ?? "",
      `rules-${index}`,
      tenants,
      Array.from({ length: count }, (_unused, at) => makeGroup(begin + at)),
    )
  })
}

export const NAMESPACES = ["team-a", "team-b"] as const

export const makeResource = (
  namespace: string,
  name: string,
  tenants: readonly string[],
  groups: readonly RuleGroup[],
): BenchResource => ({
  apiVersion: "open-metrics.vgs.io/v1",
  kind: "OpenMetricsRule",
  metadata: { namespace, name },
  spec: { tenants, groups },
})
