import { z } from "zod"
import { certificateKeys, issuerKeys, tokenKeys } from "#core/auth/schema.ts"
import { expected, parsed } from "#core/config/schema.ts"
import { between, size } from "#core/config/settings.ts"
import { parseTenant } from "../tenancy/tenants/parse-tenant.ts"

export const tenantId = parsed("a tenant's id such as team-a", parseTenant)

const rate = (what: string, most: number) =>
  z
    .number(expected(`a number of ${what} above 0`))
    .positive(`must be a number of ${what} above 0`)
    .max(most, `must be at most ${most}`)

const limitShape = {
  concurrent: z
    .int(expected("a whole number"))
    .min(1, "must be a whole number above 0")
    .max(100_000, "must be at most 100000"),
  requests_per_second: rate("requests", 100_000),
  samples_per_second: rate("samples", 1_000_000_000),
  bytes_in_flight: parsed("a size such as 64MiB", between(size, 2 ** 20, 2 ** 36, "from 1MiB to 64GiB")),
}

/** Of what a sender may write. */
export const senderLimits = z
  .strictObject(limitShape, expected(`a map of ${Object.keys(limitShape).join(", ")}`))
  .partial()
export type LimitEntry = z.output<typeof senderLimits>

/** How who writes is known: by one or several of them. */
export const senderCredentials = {
  token: z.strictObject(tokenKeys, expected("a map with one of sha256, env, file and secrets")).optional(),
  jwt: z.strictObject(issuerKeys, expected("a map with issuer, audience and jwks")).optional(),
  certificate: z.strictObject(certificateKeys, expected("a map with san or common_name")).optional(),
}
export type CredentialEntries = z.output<z.ZodObject<typeof senderCredentials>>
