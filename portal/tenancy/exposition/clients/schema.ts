import { z } from "zod"
import { expected, parsed } from "#core/config/schema.ts"
import { between, duration } from "#core/config/settings.ts"
import { clientKeysOf } from "#core/federation/schema.ts"
import { upstreamList } from "#core/federation/upstreams/schema.ts"
import { parseReadTenant } from "./read-tenant.ts"

/** The address of a Cortex on this machine. */
export const DEFAULT_UPSTREAM = "http://127.0.0.1:9009/prometheus"

const claim = z
  .string(expected("the name of a claim, such as tenant"))
  .regex(/^[\w.:/-]{1,128}$/, "must be the name of a claim: letters, digits and _.:/- only")

const own = {
  tenants: z
    .array(parsed("a tenant id", parseReadTenant), expected("a list of tenant ids"))
    .min(1, "must hold at least one tenant id")
    .optional(),
  tenant_claim: claim.optional(),
}

export const clientsSchema = z.strictObject(
  {
    upstreams: upstreamList.default([{ url: DEFAULT_UPSTREAM }]),
    look_back: parsed("a duration such as 1m", between(duration(0, Infinity), 1, 3600, "from 1s to 1h")).default(60),
    timestamps: z.boolean(expected("true or false")).default(false),
    ...clientKeysOf(own),
  },
  expected("a map with upstreams, and with tokens, jwt or certificates"),
)
export type TenantEntry = z.output<z.ZodObject<typeof own>>
