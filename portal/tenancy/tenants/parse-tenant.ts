import { Wrong } from "#core/config/settings.ts"
import { quote } from "./quote.ts"
import type { TenantId } from "./tenant.ts"

/** Characters of a tenant id at most. */
export const LONGEST_TENANT = 150

/** Names that Cortex and Mimir use for their own objects, or that leave a tenant's folder. */
const TAKEN: ReadonlySet<string> = new Set([".", "..", "__markers__", "user-index.json.gz"])

const ALLOWED = /^[A-Za-z0-9!_.*'()-]+$/
const NOT_ALLOWED = /[^A-Za-z0-9!_.*'()-]/u

/**
 * By the rules of Cortex and Mimir. Elsewhere they read `a|b` as two tenants, and may read a regular expression: neither is
 * an id. The reason is half a sentence and repeats no more than a character.
 */
export function parseTenant(text: string): TenantId | Wrong {
  if (text === "") return new Wrong("must not be empty")
  if (text.length > LONGEST_TENANT)
    return new Wrong(`must have at most ${LONGEST_TENANT} characters (has ${text.length})`)
  if (!ALLOWED.test(text))
    return new Wrong(`must consist of letters, digits and !-_.*'() (has ${quote(NOT_ALLOWED.exec(text)?.[0] ?? "")})`)
  if (TAKEN.has(text)) return new Wrong("must be another name: Cortex and Mimir use this one for themselves")
  return text as TenantId
}
