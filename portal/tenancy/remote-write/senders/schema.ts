import { z } from "zod"
import { ownerName as name } from "#core/auth/schema.ts"
import { expected, filled } from "#core/config/schema.ts"
import { labelsSchema } from "../../../sites/label-schema.ts"
import { senderCredentials, senderLimits, tenantId } from "../../../sites/sender-keys.ts"

const sender = z.strictObject(
  {
    name,
    ...senderCredentials,
    tenant: tenantId.optional(),
    tenants: z
      .array(tenantId, expected("a list of tenants"))
      .min(1, "must hold at least one tenant: a sender that may write for none needs no entry")
      .optional(),
    labels: labelsSchema([]).optional(),
    match: z
      .array(filled("a selector"), expected("a list of selectors"))
      .min(1, "must hold at least one selector; without match, everything is accepted")
      .optional(),
    limits: senderLimits.default({}),
  },
  expected("a sender: a map with name, and one of token, jwt and certificate"),
)

export const sendersSchema = z.strictObject(
  {
    senders: z.array(sender, expected("a list of senders")).min(1, "must hold at least one sender"),
    limits: senderLimits.default({}),
  },
  expected("a map with senders"),
)
