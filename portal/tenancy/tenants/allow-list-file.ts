import { z } from "zod"
import { parseYamlTexts } from "#core/config/config-file.ts"
import { parsed } from "#core/config/schema.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { parseTenant } from "./parse-tenant.ts"
import type { TenantId } from "./tenant.ts"

const schema = z.strictObject({ tenants: z.array(parsed("the id of a tenant", parseTenant)) })

/** `tenants: [red, blue]`. Throws ConfigurationError with every fault. */
export function readAllowListFile(file: string, read: ReadText): readonly TenantId[] {
  // as texts: 007 and 1e3 are ids
  return [...new Set(parseYamlTexts(read(file), file, schema).value.tenants)]
}
