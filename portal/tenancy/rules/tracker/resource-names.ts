import { createHash } from "node:crypto"
import type { TenantId } from "../../tenants/tenant.ts"

const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
/** Characters of a tenant that a name shows; with the hash, a name is far from 253. */
const SHOWN = 150

const sha1 = (text: string): string => createHash("sha1").update(text).digest("hex")

/**
 * Names of the resource of a tenant's group, the first that is free: that of the original informer, where Kubernetes takes it,
 * and one that no other tenant and group have: the original's is the same for `a_b` and `a-b`.
 */
export function resourceNames(tenant: TenantId, group: string): readonly string[] {
  const original = `${tenant}-${sha1(group.replaceAll("_", "-"))}`
  const shown = tenant
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
    .slice(0, SHOWN)
  const own = `${shown || "tenant"}-${sha1(JSON.stringify([tenant, group]))}`
  return SUBDOMAIN.test(original) ? [original, own] : [own]
}
