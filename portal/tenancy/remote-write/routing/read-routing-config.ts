import { Faults } from "#core/config/faults.ts"
import { Wrong } from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import { quote } from "../../tenants/quote.ts"
import type { RoutingConfig } from "./routing-config.ts"
import type { RoutingValues, TenantValues } from "./settings.ts"
import { isOneToOne, parsePattern } from "./tenant-pattern.ts"

/** Labels by which the series of one metric differ. */
const RESERVED: ReadonlyMap<string, string> = new Map([
  ["__name__", "it is the name of the metric"],
  ["le", "it tells the buckets of a histogram apart"],
  ["quantile", "it tells the quantiles of a summary apart"],
])

/** Where the resources of Kubernetes are not read, their settings are missing. */
type GivenValues = TenantValues & Partial<RoutingValues>

/** Throws UsageError with every setting that cannot have the effect that its user expects. */
export function readRoutingConfig(values: GivenValues): RoutingConfig {
  const { tenantLabelList, haLabelList, tenantPattern, stripTenantLabel, defaultTenantList } = values
  const labels = tenantLabelList.value
  const groupLabels = haLabelList.isDefault
    ? haLabelList.value.filter((label) => !labels.includes(label))
    : haLabelList.value
  const faults = new Faults()
  const report: Report = ({ source }, message) => faults.add(source, message)

  for (const label of labels) {
    const why = RESERVED.get(label)
    if (why !== undefined) report(tenantLabelList, `${label} cannot be a tenant label: ${why}`)
  }
  for (const label of groupLabels) {
    const why = RESERVED.get(label)
    if (why !== undefined) report(haLabelList, `${label} cannot be an HA label: ${why}`)
    if (labels.includes(label)) report(haLabelList, `${label} is a tenant label, and cannot be an HA label as well`)
  }
  if (labels.length === 0) {
    if (defaultTenantList.value.length === 0)
      report(tenantLabelList, "needs at least one label where there is no default tenant")
    if (tenantPattern.value !== undefined) report(tenantPattern, "has no effect without a tenant label")
    if (values.tenantPrefix.value !== "") report(values.tenantPrefix, "has no effect without a tenant label")
    if (stripTenantLabel.value) report(stripTenantLabel, "has no effect without a tenant label")
  }
  const pattern = tenantPattern.value === undefined ? undefined : parsePattern(tenantPattern.value)
  if (pattern instanceof Wrong) report(tenantPattern, `${pattern.reason} (is ${quote(tenantPattern.value ?? "")})`)
  else if (stripTenantLabel.value && pattern !== undefined && !isOneToOne(pattern))
    report(
      tenantPattern,
      "must have fixed text only around its capture where the label is stripped, or series of different values may become one",
    )
  reportIneffective(values, report)
  faults.orThrow(UsageError)
  return {
    tenantLabels: labels,
    labelMode: values.tenantLabelMode,
    pattern: tenantPattern.value,
    prefix: values.tenantPrefix.value,
    strip: stripTenantLabel.value,
    groupLabels,
    defaultTenants: defaultTenantList.value,
    fullReplication: !values.disableFullReplication,
    unknownTenants: values.unknownTenants.value,
    mostTenants: values.maxTenantsPerRequest,
  }
}

type Report = (setting: { readonly source: string }, message: string) => void

/** What is wrong in where the allow list comes from, and what it can be of use for. */
function reportIneffective(values: GivenValues, report: Report): void {
  const { allowListedTenants, tenantPrefix, defaultTenantList, unknownTenants, namespaces } = values
  const fromKubernetes = (values.kubernetesPollIntervalSeconds ?? 0) > 0
  for (const tenant of allowListedTenants.value) {
    if (tenant.startsWith(tenantPrefix.value) || defaultTenantList.value.includes(tenant)) continue
    report(
      allowListedTenants,
      `no label can name ${quote(tenant)}: its tenants begin with ${quote(tenantPrefix.value)}`,
    )
  }
  const anyList = allowListedTenants.value.length > 0 || values.allowListFile !== undefined || fromKubernetes
  if (unknownTenants.value === "refuse" && !anyList)
    report(unknownTenants, "has no effect without an allow list: every valid tenant is accepted")
  if (namespaces === undefined) return
  if (values.allNamespaces && !namespaces.isDefault) report(namespaces, "has no effect with --all-namespaces")
  if (fromKubernetes && !values.allNamespaces && namespaces.value.length === 0)
    report(namespaces, "needs at least one namespace")
}
