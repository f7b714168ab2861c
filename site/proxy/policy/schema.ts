import { z } from "zod"
import { clientKeysOf } from "#core/federation/schema.ts"
import { upstreamList } from "#core/federation/upstreams/schema.ts"
import { expected, parsed } from "#core/config/schema.ts"
import { type Parse, Wrong } from "#core/config/settings.ts"

const upstreamPath: Parse<string> = (text) =>
  /^(?:\/[\w.~:-]+)+$/.test(text) && !/\/\.\.?(?:\/|$)/.test(text)
    ? text
    : new Wrong("must be a path such as /federate, of letters, digits, -._~: and / only")

export const policySchema = z.strictObject(
  {
    upstreams: upstreamList.default([{ url: "http://prometheus:9090" }]),
    path: parsed("a path such as /federate", upstreamPath).default("/federate"),
    ...clientKeysOf({}),
  },
  expected("a map with upstreams, and with tokens, jwt or certificates"),
)

export type PolicyFile = z.output<typeof policySchema>
