import type { Family, Labels } from "#core/exposition.ts"
import type { Project } from "./cloud.ts"
import { type Usage, usageOf } from "./usage.ts"
import type { Weights } from "./weights.ts"

/** The two names that dashboards and billing systems know, and their twins in base units. */
const USAGE: readonly { readonly name: string; readonly help: string; readonly value: (usage: Usage) => number }[] = [
  {
    name: "project_vcpu_usage",
    help: "Weighted vCPU hours of the project's servers since the start date.",
    value: ({ vcpuHours }) => vcpuHours,
  },
  {
    name: "project_mb_usage",
    help: "Weighted GiB hours of the project's servers since the start date, each server rounded down to whole GiB. The name is kept for compatibility.",
    value: ({ legacyMemory }) => legacyMemory,
  },
  {
    name: "openstack_project_vcpu_seconds",
    help: "Weighted vCPU seconds of the project's servers since the start date.",
    value: ({ vcpuSeconds }) => vcpuSeconds,
  },
  {
    name: "openstack_project_memory_byte_seconds",
    help: "Weighted memory of the project's servers since the start date, in bytes times seconds.",
    value: ({ memoryByteSeconds }) => memoryByteSeconds,
  },
]

/** All families of the collector for projects that are already split from their pool. */
export function usageFamilies(projects: readonly Project[], weights: Weights, start: Date): readonly Family[] {
  const rows = projects.map((project) => ({ labels: labelsOf(project), usage: usageOf(project.servers, weights) }))
  return [
    ...USAGE.map(({ name, help, value }): Family => {
      const samples = rows.map(({ labels, usage }) => ({ labels, value: value(usage) }))
      return { name, help, type: "gauge", samples }
    }),
    {
      name: "openstack_project_usage_start_timestamp_seconds",
      help: "The start date since when usage is counted, in Unix time.",
      type: "gauge",
      samples: [{ labels: {}, value: start.getTime() / 1000 }],
    },
  ]
}

function labelsOf({ id, name, domainName, domainId }: Project): Labels {
  // in the order in which the original's client library writes them
  return { domain_id: domainId, domain_name: domainName, project_id: id, project_name: name }
}
