import { Gauge, type Registry } from "prom-client"
import type { TenantId } from "../../../tenants/tenant.ts"

/** One of the places that the allow list is made of. */
export interface Source {
  readonly name: "flags" | "file" | "kubernetes"
  /** undefined where they are not known yet. */
  readonly tenants: () => ReadonlySet<TenantId> | undefined
  /** Why they may be missing or outdated. */
  readonly problem?: () => string | undefined
  /** When they were last known to be up to date. */
  readonly confirmedAt?: () => Date | undefined
  /** Resources that are not valid as a whole. */
  readonly faulty?: () => number
}

export function showSources(registry: Registry, sources: readonly Source[]): void {
  const gauge = (name: string, help: string, value: (source: Source) => number | undefined): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ["source"],
      registers: [registry],
      collect() {
        for (const source of sources) {
          const shown = value(source)
          if (shown !== undefined) this.set({ source: source.name }, shown)
        }
      },
    })
  gauge(
    "fedstack_tenancy_proxy_allowed_tenants",
    "Tenants of a source of the allow list; missing where it is not known yet. Without a source every valid tenant is accepted.",
    (source) => source.tenants()?.size,
  )
  gauge(
    "fedstack_tenancy_proxy_allow_list_last_success_timestamp_seconds",
    "When the tenants of a watched source were last known to be up to date, in Unix time: at most a minute ago while the watch works.",
    ({ confirmedAt }) => secondsOf(confirmedAt?.()),
  )
  gauge(
    "fedstack_tenancy_proxy_faulty_rules",
    "OpenMetricsRule resources with faults in spec.tenants, which are left out.",
    ({ faulty }) => faulty?.(),
  )
}

const secondsOf = (time: Date | undefined): number | undefined => time && time.getTime() / 1000
