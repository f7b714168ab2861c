import { duplicates } from "#core/config/faults.ts"
import { quote } from "../../tenants/quote.ts"
import type { Problem } from "../validation/problem.ts"
import { type CheckedFile, inOrder } from "./check-file.ts"
import type { Report } from "./report.ts"

/**
 * The same files with a warning at each group for which an earlier OpenMetricsRule has the place at the ruler: the same
 * namespace, tenant and name of the group. Of two, the older resource is written, and files do not tell which that is.
 */
export function withClaims(checked: readonly CheckedFile[]): readonly CheckedFile[] {
  const claims = checked.flatMap(({ file, valid }) =>
    valid.flatMap(({ group, origin, tenants = [] }) => {
      const { resource } = origin
      return resource === undefined ? [] : tenants.map((tenant) => ({ file, group, origin, resource, tenant }))
    }),
  )
  const found = duplicates(claims, ({ group, resource, tenant }) =>
    JSON.stringify([resource.namespace, tenant, group.name]),
  ).filter(([{ resource }, first]) => resource.name !== first.resource.name)
  const ofGroup = Map.groupBy(found, ([{ origin }]) => origin)
  return checked.map((one) => {
    const reports = one.valid.flatMap(({ origin }): readonly Report[] => {
      const [taken, ...more] = ofGroup.get(origin) ?? []
      if (taken === undefined) return []
      const [{ tenant }, first] = taken
      const others = more.length === 0 ? "" : ` and ${more.length} more`
      const where = `the OpenMetricsRule ${quote(first.resource.name)}${first.file === one.file ? "" : ` of ${first.file}`}`
      const message = `${where} has a group of this name for tenant ${tenant}${others}, and the ruler takes one; rename one of them`
      return [origin.report({ ...CLAIMED, message })]
    })
    return { ...one, reports: inOrder([...one.reports, ...reports]) }
  })
}

const CLAIMED: Omit<Problem, "message"> = { severity: "warning", check: "group/duplicate", path: ["name"] }
