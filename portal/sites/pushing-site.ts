import { z } from "zod"
import { expected, parsed } from "#core/config/schema.ts"
import { duration } from "#core/config/settings.ts"
import { instead } from "#core/http/credential-schema.ts"
import { senderCredentials, senderLimits, tenantId } from "./sender-keys.ts"
import { siteKeys } from "./site-keys.ts"

/** Beyond a day nobody would learn that a site is silent. */
const LONGEST_INTERVAL = 86_400

const push = z
  .strictObject(
    { ...senderCredentials, tenant: tenantId.optional(), limits: senderLimits.default({}) },
    expected("a map with token, jwt or certificate, by which the site is known, and tenant"),
  )
  .refine(
    ({ token, jwt, certificate }) => token !== undefined || jwt !== undefined || certificate !== undefined,
    "has no credentials; give it a token, jwt or certificate, by which the site is known",
  )

const REQUESTED = "does not go with push: the site writes by itself and is not requested"
const AT_SITE = "does not go with push: have the site do it, by write_relabel_configs"

/** An entry of sites.yaml for a site that nobody can reach: it writes to fedstack tenancy-proxy. */
export const pushingSite = z.strictObject(
  {
    ...siteKeys,
    push,
    interval: parsed("a duration such as 30s", duration(1, LONGEST_INTERVAL)).default(30),
    url: instead(REQUESTED),
    timeout: instead(REQUESTED),
    proxy_url: instead(REQUESTED),
    tls: instead(REQUESTED),
    token: instead("does not go with push: what the site sends stands below push"),
    jwt: instead("does not go with push: what the site sends stands below push"),
    basic_auth: instead(REQUESTED),
    authorization: instead(REQUESTED),
    oauth2: instead(REQUESTED),
    drop_labels: instead(AT_SITE),
    metric_relabel_configs: instead(AT_SITE),
    limits: instead("does not go with push: limits of what it may write stand below push"),
    shard: instead("does not go with push: no Prometheus scrapes the site"),
  },
  expected("a site: a map with name and push"),
)
export type PushingEntry = z.output<typeof pushingSite>

export const isPushing = (entry: unknown): entry is { readonly push: unknown } =>
  typeof entry === "object" && entry !== null && !Array.isArray(entry) && "push" in entry

/** The entries of sites.yaml as who receives writes needs them: those that push, and the names of labels of the others. */
export const writers = z.object(
  {
    sites: z.preprocess(
      (value) => value ?? [],
      z.array(
        z.unknown().transform((value, context): PushingEntry | { readonly labels: readonly string[] } => {
          if (!isPushing(value)) return { labels: labelNames(value) }
          const read = pushingSite.safeParse(value)
          if (read.success) return read.data
          for (const issue of read.error.issues) context.issues.push({ ...issue, input: undefined })
          return z.NEVER
        }),
        expected("a list of sites"),
      ),
    ),
  },
  expected("a map with the key sites"),
)

/** What is wrong with the others is found by the portal, which federates them. */
const labelNames = (entry: unknown): readonly string[] =>
  Object.keys(z.object({ labels: siteKeys.labels }).catch({ labels: {} }).parse(entry).labels)
