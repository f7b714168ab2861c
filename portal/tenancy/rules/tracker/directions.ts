import { type Parse, Wrong } from "#core/config/settings.ts"
import { namespace as parseNamespace } from "#core/kubernetes/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import type { TenantId } from "../../tenants/tenant.ts"

const MODES = ["import", "mirror", "off"] as const
/** `import`: groups become resources once. `mirror`: resources follow the ruler. */
export type TrackerMode = (typeof MODES)[number]

/** `tenant=a,namespace=x:import`. What is undefined is any. */
export interface Direction {
  readonly text: string
  readonly tenant: TenantId | undefined
  /** Of Kubernetes. */
  readonly namespace: string | undefined
  readonly mode: TrackerMode
}

const EXAMPLE = "such as tenant=a:import, namespace=x:mirror, tenant=a,namespace=x:off or *:import"

export const parseDirection: Parse<Direction> = (given) => {
  const text = given.trim()
  const [, which = "", how = ""] = /^(.+):([^:]*)$/.exec(text) ?? []
  const mode = MODES.find((candidate) => candidate === how)
  if (mode === undefined) return new Wrong(`must be WHICH:HOW, with import, mirror or off for HOW, ${EXAMPLE}`)
  if (which === "*") return { text, tenant: undefined, namespace: undefined, mode }
  let [tenant, namespace]: readonly [TenantId | undefined, string | undefined] = [undefined, undefined]
  for (const part of which.split(",")) {
    const [, key, value = ""] = /^(tenant|namespace)=(.*)$/.exec(part.trim()) ?? []
    if (key === undefined || (key === "tenant" ? tenant : namespace) !== undefined)
      return new Wrong(`must name a tenant, a namespace, one of each, or *, ${EXAMPLE}`)
    const name = key === "tenant" ? parseTenant(value) : parseNamespace(value)
    if (name instanceof Wrong) return new Wrong(`must have a valid ${key}: it ${name.reason}`)
    if (key === "tenant") tenant = name as TenantId
    else namespace = name
  }
  return { text, tenant, namespace, mode }
}

/** The first that is about both decides; none: off. */
export function modeOf(directions: readonly Direction[], tenant: TenantId, namespace: string): TrackerMode {
  const first = directions.find(
    (one) => (one.tenant ?? tenant) === tenant && (one.namespace ?? namespace) === namespace,
  )
  return first?.mode ?? "off"
}

/** Whether groups of a tenant may have to be read. */
export function isTracked(directions: readonly Direction[], tenant: TenantId): boolean {
  const about = directions.filter((one) => (one.tenant ?? tenant) === tenant)
  const last = about.findIndex(({ namespace }) => namespace === undefined)
  return about.slice(0, last === -1 ? undefined : last + 1).some(({ mode }) => mode !== "off")
}

/** What is wrong with all of them together, in half a sentence. */
export function faultOf(directions: readonly Direction[]): string | undefined {
  for (const [index, later] of directions.entries()) {
    const covers = ({ tenant, namespace }: Direction): boolean =>
      (tenant ?? later.tenant) === later.tenant && (namespace ?? later.namespace) === later.namespace
    const earlier = directions.slice(0, index).find(covers)
    if (earlier !== undefined) return `${later.text} is never reached: ${earlier.text} stands before it and decides`
  }
  return undefined
}
