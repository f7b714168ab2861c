import { type Fault, UsageError } from "#core/errors.ts"
import type { OpaDataValues } from "./settings.ts"

/** What no single setting can know. Throws UsageError with every fault. */
export function checkOpaData(values: OpaDataValues): { readonly clusterName: string } {
  const { clusterName } = values
  const faults: Fault[] = []
  if (clusterName === undefined) faults.push({ where: "--cluster-name", message: "is needed (or APP_CLUSTER_NAME)" })
  faults.push(...pathFaults(values))
  if (values.opaService.flat().length === 0 && values.opaSelector === undefined && values.opaUrl.length === 0) {
    faults.push({
      where: "--opa-service",
      message: "is needed (or APP_OPA_SERVICE), or --opa-selector, or --opa-url for an OPA outside of Kubernetes",
    })
  }
  if (!values.sslVerify) {
    faults.push({
      where: "--ssl-verify",
      message: "can't be turned off: give the certificates that vouch for OPA's with --opa-ca-file",
    })
  }
  if ((values.opaCertFile === undefined) !== (values.opaKeyFile === undefined)) {
    faults.push({ where: "--opa-cert-file", message: "and --opa-key-file go together" })
  }
  if (faults.length > 0 || clusterName === undefined) throw new UsageError(faults)
  return { clusterName }
}

/** Throws UsageError where there is nothing to count. */
export function checkPaths(values: OpaDataValues): void {
  const faults = pathFaults(values)
  if (faults.length > 0) throw new UsageError(faults)
}

function pathFaults({ opaClusterData, opaNamespacedData }: OpaDataValues): readonly Fault[] {
  if (opaClusterData.flat().length + opaNamespacedData.flat().length > 0) return []
  return [{ where: "--opa-cluster-data", message: "or --opa-namespaced-data is needed: what is to be counted" }]
}
