import type { Family, Labels, Sample } from "#core/metrics/exposition.ts"
import type { Accounts, ProjectAccount } from "./accounts/reconcile.ts"

/** One cloud's accounts, and what distinguishes it from the others. */
export interface LabelledAccounts {
  readonly labels: Labels
  readonly accounts: Accounts
}

export interface FamilyOptions {
  /** Whether what is in use now is shown. */
  readonly inUse: boolean
  /** Properties of projects that become labels of their information metric; without any there is none. */
  readonly properties: readonly string[]
}

interface Definition {
  readonly name: string
  readonly help: string
  readonly type?: "counter"
  /** Undefined: the project has no such value. */
  readonly value: (account: ProjectAccount) => number | undefined
}

/** The original's two names, which dashboards and billing systems know, with its type; and the same in base units. */
const USAGE: readonly Definition[] = [
  {
    name: "project_vcpu_usage",
    help: "Weighted vCPU hours of the project's servers since the start date.",
    value: ({ usage }) => usage.vcpuHours,
  },
  {
    name: "project_mb_usage",
    help: "Weighted GiB hours of the project's servers since the start date, each server rounded down to whole GiB. The name is kept for compatibility.",
    value: ({ usage }) => usage.legacyMemory,
  },
  {
    name: "openstack_project_vcpu_seconds_total",
    help: "Weighted vCPU seconds of the project's servers since the start date.",
    type: "counter",
    value: ({ usage }) => usage.vcpuSeconds,
  },
  {
    name: "openstack_project_memory_byte_seconds_total",
    help: "Weighted memory of the project's servers since the start date, in bytes times seconds.",
    type: "counter",
    value: ({ usage }) => usage.memoryByteSeconds,
  },
]

const IN_USE: readonly Definition[] = [
  {
    name: "openstack_project_servers",
    help: "Servers that the project has, in whatever state.",
    value: ({ inUse }) => inUse.servers,
  },
  {
    name: "openstack_project_vcpus",
    help: "vCPUs of the servers that the project has.",
    value: ({ inUse }) => inUse.vcpus,
  },
  {
    name: "openstack_project_memory_bytes",
    help: "Memory of the servers that the project has.",
    value: ({ inUse }) => inUse.memoryMb * 2 ** 20,
  },
  {
    name: "openstack_project_disk_bytes",
    help: "Disks that the flavors of the project's servers bring, without volumes.",
    value: ({ inUse }) => inUse.diskGb * 2 ** 30,
  },
]

const QUOTA: readonly Definition[] = [
  {
    name: "openstack_project_quota_servers",
    help: "Servers that the project may have, +Inf for any number.",
    value: ({ quota }) => quota?.servers,
  },
  {
    name: "openstack_project_quota_vcpus",
    help: "vCPUs that the project's servers may have, +Inf for any number.",
    value: ({ quota }) => quota?.vcpus,
  },
  {
    name: "openstack_project_quota_memory_bytes",
    help: "Memory that the project's servers may have, +Inf for any amount.",
    value: ({ quota }) => quota && quota.memoryMb * 2 ** 20,
  },
]

/** All families of all clouds, each made when it is its turn, so that their samples are never all there at once. */
export function* usageFamilies(clouds: readonly LabelledAccounts[], options: FamilyOptions): Generator<Family> {
  // samples of one project share their labels, which are then encoded once
  const rows = clouds.flatMap(({ labels, accounts }) =>
    accounts.projects.map((account) => ({ account, labels: withLabels(labels, account.labels) })),
  )
  for (const { name, help, type = "gauge", value } of [...USAGE, ...(options.inUse ? IN_USE : []), ...QUOTA])
    yield { name, help, type, samples: rows.flatMap(({ account, labels }) => sampleOf(labels, value(account))) }
  yield gauge(
    "openstack_project_info",
    "1, with those properties and tags of the project that are to be shown.",
    options.properties.length === 0
      ? []
      : rows.map(({ account, labels }) => ({ labels: { ...labels, ...account.properties }, value: 1 })),
  )
  yield* monthFamilies(clouds)
  const perCloud = (name: string, help: string, value: (accounts: Accounts) => number): Family =>
    gauge(
      `openstack_project_usage_${name}`,
      help,
      clouds.map(({ labels, accounts }) => ({ labels, value: value(accounts) })),
    )
  yield perCloud(
    "start_timestamp_seconds",
    "The start date since when usage is counted, in Unix time.",
    ({ start }) => start.getTime() / 1000,
  )
  yield perCloud(
    "epoch_timestamp_seconds",
    "When usage was first counted with this start date and these weights, in Unix time. It changes when usage begins anew.",
    ({ since }) => since / 1000,
  )
  yield perCloud(
    "retained_projects",
    "Projects whose usage in seconds includes what the cloud no longer reports, such as that of archived servers.",
    ({ retained }) => retained,
  )
}

const sampleOf = (labels: Labels, value: number | undefined): readonly Sample[] =>
  value === undefined ? [] : [{ labels, value }]

const gauge = (name: string, help: string, samples: readonly Sample[]) =>
  ({ name, help, type: "gauge", samples }) satisfies Family

/** Those of the cloud first; the same object where it has none. */
const withLabels = (cloud: Labels, labels: Labels): Labels =>
  Object.keys(cloud).length === 0 ? labels : { ...cloud, ...labels }

/** In the order of the values in a row. */
const OF_MONTH = [
  ["vcpu_seconds", "Weighted vCPU seconds of the project's servers in a month (UTC)."],
  ["memory_byte_seconds", "Weighted memory of the project's servers in a month (UTC), in bytes times seconds."],
] as const

function* monthFamilies(clouds: readonly LabelledAccounts[]): Generator<Family> {
  const rows = clouds.flatMap(({ labels, accounts }) =>
    accounts.months.flatMap(({ name, rows: ofMonth }) =>
      ofMonth.map(([own, ...values]) => ({ labels: { ...labels, period: name, ...own }, values })),
    ),
  )
  for (const [index, [name, help]] of OF_MONTH.entries()) {
    const samples = rows.map(({ labels, values }) => ({ labels, value: values[index] ?? 0 }))
    yield { name: `openstack_project_period_${name}_total`, help, type: "counter", samples }
  }
}
