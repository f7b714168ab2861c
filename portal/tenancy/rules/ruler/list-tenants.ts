import { Wrong } from "#core/config/settings.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { parseTexts, Unreadable } from "./read-group.ts"

/** Characters of a line that may be a tenant's: what is longer is within a text. */
const LONGEST = 1000

/**
 * The tenants in a listing of the rules of all of them, `tenant: {namespace: [group]}` in YAML: those of lines that are not
 * indented. It may be far larger than what is kept of it. `mayBeEmpty`: rulers write nothing where no tenant has rules. Throws
 * Unreadable.
 */
export async function tenantsIn(listing: AsyncIterable<Buffer>, mayBeEmpty: boolean): Promise<ReadonlySet<TenantId>> {
  const decoder = new TextDecoder()
  const keys: string[] = []
  let rest = ""
  for await (const chunk of listing) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/[\n\u2028\u2029]/)
    rest = lines.pop() ?? ""
    if (rest.startsWith(" ")) rest = " "
    if (rest.length > LONGEST) throw new Unreadable("is no map of tenants")
    // a quotation mark alone ends a text that ends with a line break
    keys.push(...lines.filter((line) => line !== "" && line !== "'" && !line.startsWith(" ")))
  }
  if (rest !== "") throw new Unreadable("breaks off")
  if ((keys.length === 0 && mayBeEmpty) || (keys.length === 1 && keys[0] === "{}")) return new Set()
  // {}: its last group was deleted meanwhile
  if (keys.length === 0 || keys.some((key) => !/:(?: \{\})?$/.test(key))) throw new Unreadable("is no map of tenants")
  const tenants = parseTexts(keys.join("\n"))
  if (!(tenants instanceof Map)) throw new Unreadable("is no map of tenants")
  return new Set(
    [...(tenants as ReadonlyMap<string, unknown>).keys()].flatMap((key) => {
      const tenant = parseTenant(key)
      return tenant instanceof Wrong ? [] : [tenant]
    }),
  )
}
