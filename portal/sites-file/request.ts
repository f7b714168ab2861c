import { z } from "zod"
import { parseYaml } from "#core/config/config-file.ts"
import { expected, filled } from "#core/config/schema.ts"
import { instead } from "#core/http/credential-schema.ts"
import type { Change } from "./edit.ts"

/** Below the folder of sites.yaml: a request may not have the portal send whatever it can read to whatever url. */
const ownFile = filled("the name of a file").refine(
  (name) => !/^[/~\\]|(?:^|\/)\.\.(?:\/|$)|\p{C}/u.test(name),
  "must be below the folder of sites.yaml, such as tokens/site-a; name others in the file itself",
)
/** Nor its own settings, which may be secrets. */
const ownVariable = filled("the name of a variable").regex(
  /^(?!FEDSTACK_)[A-Za-z_]\w*$/,
  "must be the name of a variable that does not begin with FEDSTACK_",
)
const BY_HAND = "is not taken here: write it into sites.yaml by hand"

/** What a change may ask for; what it may hold is validated with the whole file. */
const keys = {
  labels: z.unknown().optional(),
  match: z.unknown().optional(),
  interval: z.unknown().optional(),
  timeout: z.unknown().optional(),
  limits: z.unknown().optional(),
  proxy_url: z.unknown().optional(),
  drop_labels: z.unknown().optional(),
  metric_relabel_configs: z.unknown().optional(),
  shard: z.unknown().optional(),
  token: z
    .strictObject(
      { file: ownFile.optional(), env: ownVariable.optional() },
      expected("{file: NAME} or {env: VARIABLE}, never the token itself"),
    )
    .nullable()
    .optional(),
  jwt: z.record(z.string(), z.unknown(), expected("a map such as {audience: site-a}")).nullable().optional(),
  tls: z
    .strictObject(
      {
        ca_file: ownFile.optional(),
        cert_file: ownFile.optional(),
        key_file: ownFile.optional(),
        server_name: z.unknown().optional(),
        min_version: z.unknown().optional(),
      },
      expected("a map of ca_file, server_name, cert_file, key_file, min_version"),
    )
    .nullable()
    .optional(),
  basic_auth: instead(BY_HAND),
  authorization: instead(BY_HAND),
  oauth2: instead(BY_HAND),
}

/** Of a site that pushes: a hash is no secret, and names nothing of the portal's. */
const push = z.strictObject(
  {
    token: z.strictObject({ sha256: z.unknown() }, expected("{sha256: HASH}; name files in sites.yaml by hand")),
    tenant: z.unknown().optional(),
  },
  expected("a map with token, such as {token: {sha256: HASH}}, and tenant"),
)
const added = z
  .strictObject(
    {
      name: filled("a name such as site-a"),
      url: filled("a URL such as https://site-a.example.org").optional(),
      push: push.optional(),
      ...keys,
    },
    expected("a site: an object with name, url and token"),
  )
  .refine(
    (site) => (site.url === undefined) !== (site.push === undefined),
    "must have either url, where the site is requested, or push",
  )
const patch = z.strictObject(
  {
    name: instead("cannot be changed: remove the site, and add it under its new name"),
    url: instead("cannot be changed here, as the site's token would go there: write it into sites.yaml by hand"),
    push: instead("cannot be changed here, as it is by what the site is known: write it into sites.yaml by hand"),
    paused: instead("is changed by pause and resume"),
    ...keys,
  },
  expected("an object with the keys to change; null removes one"),
)
const pause = z.strictObject({ why: z.string().optional() }, expected("an object with why, or an empty one"))

const REQUEST = "request"
/** JSON is YAML: faults are found and shown as those of the file. */
const read = <T>(body: unknown, schema: z.ZodType<T>): T =>
  parseYaml(JSON.stringify(body ?? null), REQUEST, schema).value

/** Throws ConfigurationError with every fault of the request, as do those below. */
export function changeToAdd(body: unknown): Change {
  const entry = read(body, added)
  return { kind: "add", name: entry.name, entry: Object.fromEntries(Object.entries(entry).filter(isGiven)) }
}

export const changeToSet = (name: string, body: unknown): Change => ({ kind: "set", name, keys: read(body, patch) })

export function changeToPause(name: string, body: unknown, by: string, at: Date): Change {
  const { why } = read(body, pause)
  const noted = { ...(by !== "" && { by }), at: `${at.toISOString().slice(0, 19)}Z`, ...(why && { why }) }
  return { kind: "set", name, keys: { paused: noted } }
}

export const changeToResume = (name: string): Change => ({ kind: "set", name, keys: { paused: null } })

const isGiven = ([, value]: readonly [string, unknown]): boolean => value !== undefined && value !== null
