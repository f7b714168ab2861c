import { dirname, resolve } from "node:path"
import { z } from "zod"
import { parseYaml } from "#core/config/config-file.ts"
import { duplicates, Faults } from "#core/config/faults.ts"
import { expected, filled, parsed } from "#core/config/schema.ts"
import { duration } from "#core/config/settings.ts"
import type { ReadText } from "#core/files/read-text.ts"
import { parseTenant } from "../../tenants/parse-tenant.ts"
import { RULER_TYPES } from "./paths.ts"
import { httpPrefix, MIMIR_PREFIX, type RulerSetup, rulerUrl, TARGETS } from "./settings.ts"
import { FEATURE_FLAGS, TARGET_NAMES } from "../validation/target.ts"

const fileName = filled("the name of a file")
const address = parsed("a URL such as https://mimir.example.org", rulerUrl)
const limit = z.number().int().min(0).max(1_000_000).optional()

const ruler = z.strictObject({
  name: z
    .string(expected("a name"))
    .regex(/^[A-Za-z0-9][\w.-]{0,62}$/, "must be a name of letters, digits, '-', '_' and '.', at most 63"),
  url: address,
  distributor_url: address.optional(),
  type: z.enum(RULER_TYPES, expected(RULER_TYPES.join(" or "))).default("cortex"),
  target: z.enum(TARGET_NAMES, expected(`one of ${TARGET_NAMES.join(", ")}`)).optional(),
  enable_features: z
    .array(z.enum(FEATURE_FLAGS, expected(`one of ${FEATURE_FLAGS.join(", ")}`)), expected("a list of features"))
    .default([]),
  prefix: parsed("a path such as /prometheus", httpPrefix).default(MIMIR_PREFIX),
  timeout: parsed("a duration such as 30s", duration(1, 3600)).default(30),
  tenants: z.array(parsed("the id of a tenant", parseTenant), expected("a list of tenants")).optional(),
  limits: z
    .strictObject(
      { groups_per_tenant: limit, rules_per_group: limit },
      expected("a map of groups_per_tenant and rules_per_group"),
    )
    .default({}),
  token_file: fileName.optional(),
  basic_auth: z
    .strictObject(
      {
        username: filled("a user name").refine((name) => !name.includes(":"), "must hold no colon"),
        password_file: fileName,
      },
      expected("a map of username and password_file"),
    )
    .optional(),
  tls: z
    .strictObject(
      {
        ca_file: fileName.optional(),
        server_name: filled("a host name").optional(),
        cert_file: fileName.optional(),
        key_file: fileName.optional(),
      },
      expected("a map of ca_file, server_name, cert_file and key_file"),
    )
    .optional(),
})
const schema = z.strictObject({ rulers: z.array(ruler, expected("a list of rulers")).min(1, "must hold at least one") })

/** Names of files in it are relative to its folder. Throws ConfigurationError with every fault. */
export function readRulersFile(file: string, read: ReadText): readonly RulerSetup[] {
  const { value, where } = parseYaml(read(file), file, schema)
  const faults = new Faults()
  const find = (name: string | undefined): string | undefined => name && resolve(dirname(file), name)
  const at = (index: number, ...keys: readonly string[]): string => where(["rulers", index, ...keys])
  const rulers = value.rulers.map((entry, index): RulerSetup => {
    const {
      token_file: token,
      basic_auth: basicAuth,
      tls,
      limits,
      distributor_url: distributor,
      enable_features: features,
      ...rest
    } = entry
    if (token !== undefined && basicAuth !== undefined)
      faults.add(at(index), "has token_file and basic_auth; a request can have one of them")
    if (tls !== undefined && entry.url.protocol === "http:")
      faults.add(at(index, "tls"), "has no effect with an http:// URL")
    if ((tls?.cert_file === undefined) !== (tls?.key_file === undefined))
      faults.add(at(index, "tls"), "must have both cert_file and key_file, or neither")
    return {
      ...rest,
      features,
      target: entry.target ?? TARGETS[entry.type],
      distributor: distributor ?? entry.url,
      limits: { groups: limits.groups_per_tenant, rulesPerGroup: limits.rules_per_group },
      credentials: {
        token: find(token),
        basicAuth: basicAuth && {
          username: basicAuth.username,
          passwordFile: resolve(dirname(file), basicAuth.password_file),
        },
        ...{ ca: find(tls?.ca_file), cert: find(tls?.cert_file), key: find(tls?.key_file) },
        serverName: tls?.server_name,
      },
    }
  })
  for (const [key, of] of [
    ["name", ({ name }: RulerSetup) => name],
    ["url", ({ url, type, prefix }: RulerSetup) => JSON.stringify([url.href, type, prefix])],
  ] as const)
    for (const [one, first] of duplicates(rulers, of))
      faults.add(
        at(rulers.indexOf(one), key),
        `is that of ${first.name} too, so that both would write to the same ruler`,
      )
  faults.orThrow()
  return rulers
}
