/**
 * Suites that keep the machine busy for long, hold what they test to a second, or share Docker's images: paths, or how they
 * begin. No two of them run side by side.
 */
export const BUSY: readonly string[] = [
  "dev/docker/",
  "dev/stack/",
  "portal/status/status.e2e.test.ts",
  "portal/tenancy/rules/many.e2e.test.ts",
  "site/kubernetes/cluster-identity-image.e2e.test.ts",
]

/** Seconds that the longest test files take on two cores. A rough number is enough; what is not listed is short. */
export const SECONDS: Readonly<Record<string, number>> = {
  "cli.test.ts": 20,
  "core/files/write-set.test.ts": 18,
  "core/promql/containment.test.ts": 12,
  "dev/checks/main.test.ts": 10,
  "dev/checks/npm.e2e.test.ts": 40,
  "dev/docker/stack.e2e.test.ts": 109,
  "dev/docker/tenancy.e2e.test.ts": 52,
  "dev/stack/shipped.e2e.test.ts": 72,
  "dev/stack/up.e2e.test.ts": 107,
  "portal/prometheus/shipped.e2e.test.ts": 45,
  "portal/status/causes.e2e.test.ts": 82,
  "portal/status/portal-causes.e2e.test.ts": 65,
  "portal/status/pushing.e2e.test.ts": 46,
  "portal/status/status.e2e.test.ts": 85,
  "portal/tenancy/remote-write/faults.e2e.test.ts": 45,
  "portal/tenancy/rules/many.e2e.test.ts": 58,
  "portal/tenancy/rules/replicas.e2e.test.ts": 40,
  "portal/tenancy/rules/story.e2e.test.ts": 30,
  "portal/web/list.e2e.test.ts": 47,
  "portal/web/looks.e2e.test.ts": 40,
  "site/exporter/collectors/gateway-api/api-failures.e2e.test.ts": 111,
  "site/exporter/collectors/project-usage/openstack/cloud.e2e.test.ts": 57,
}
