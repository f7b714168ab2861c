import { z } from "zod"
import { expected, filled, parsed } from "#core/config/schema.ts"
import { duration, httpUrl, type Parse, size, Wrong } from "#core/config/settings.ts"
import {
  authorization,
  basicAuth,
  CONTROL,
  instead,
  oauth2,
  proxyUrl,
  tls,
  tlsShape,
  token,
} from "#core/http/credential-schema.ts"
import { isPushing, type PushingEntry, pushingSite } from "../sites/pushing-site.ts"
import { selector, siteKeys } from "../sites/site-keys.ts"
import { dropLabels, metricRelabelConfigs } from "./relabel-schema.ts"

/** Beyond a day Prometheus would show a site as absent between scrapes anyway. */
const LONGEST_INTERVAL = 86_400

const siteUrl: Parse<URL> = (text) => {
  const url = /^https?:\/\/[^\s\\]+$/i.test(text) ? httpUrl(text) : httpUrl("")
  if (url instanceof Wrong) return url
  if (/[?#]/.test(text)) return new Wrong("must have no query (?) and no fragment (#)")
  // Prometheus would encode a % once more
  if (url.pathname.includes("%")) return new Wrong("must have a path without encoded characters")
  const path = url.pathname.replace(/\/+$/, "")
  if (path.endsWith("/federate")) return new Wrong("must not end with /federate, which is added to it")
  url.pathname = path
  return url
}

const interval = duration(1, LONGEST_INTERVAL)

/** What a scrape job of Prometheus calls them. */
const NAMED_OTHERWISE = {
  job_name: instead("is called name here"),
  static_configs: instead("is called url here, with the labels under labels"),
  scheme: instead("is part of url here"),
  metrics_path: instead("is part of url here, without /federate"),
  params: instead("is written as a list of selectors under match here"),
  scrape_interval: instead("is called interval here"),
  scrape_timeout: instead("is called timeout here"),
  tls_config: instead("is called tls here"),
  bearer_token_file: instead("is written as token: {file: NAME} here"),
  bearer_token: instead("must not stand here: put it into a file, and write token: {file: NAME}"),
  relabel_configs: instead(
    "has nothing to relabel: a site is one target. Series are relabelled by metric_relabel_configs",
  ),
}

/** So that a token stays well below what a request's headers may have. */
const MOST_SELECTORS = { count: 32, characters: 4096 }
const jwt = z.strictObject(
  {
    audience: filled("the site's audience, such as site-a").check(
      z.maxLength(256, "must be at most 256 characters"),
      z.refine((value) => value.isWellFormed() && !CONTROL.test(value), "must be one line without control characters"),
    ),
    match: z
      .array(parsed("a selector", selector), expected("a list of selectors"))
      .min(1, "must hold at least one selector")
      .refine(
        (list) => list.length <= MOST_SELECTORS.count && list.join("").length <= MOST_SELECTORS.characters,
        `must be at most ${MOST_SELECTORS.count} selectors of ${MOST_SELECTORS.characters} characters in all, which stand in each token`,
      )
      .optional(),
  },
  expected("a map such as {audience: site-a}"),
)

/** Generous: they hold a broken or hostile site off, not a large one. */
const limitShape = {
  response_bytes: parsed("a size such as 256MiB", size),
  series: z.int(expected("a whole number")).positive("must be a whole number above 0"),
}
/** Of one site, in place of those of all. */
const ownLimits = z.strictObject(
  { response_bytes: limitShape.response_bytes.optional(), series: limitShape.series.optional() },
  expected("a map of response_bytes and series"),
)

const siteShape = {
  ...siteKeys,
  url: parsed("a URL such as https://site-a.example.org", siteUrl),
  interval: parsed("a duration such as 30s", interval).default(30),
  timeout: parsed("a duration such as 30s", interval).optional(),
  token: token.optional(),
  basic_auth: basicAuth.optional(),
  authorization: authorization.optional(),
  oauth2: oauth2.optional(),
  jwt: jwt.optional(),
  tls: tls.optional(),
  proxy_url: proxyUrl.optional(),
  drop_labels: dropLabels.optional(),
  metric_relabel_configs: metricRelabelConfigs.optional(),
  limits: ownLimits.optional(),
  shard: z.string(expected("the name of a --prometheus.shard")).optional(),
  ...NAMED_OTHERWISE,
}
const siteSchema = z.strictObject(siteShape, expected("a site: a map with name, url and credentials such as token"))
export type SiteEntry = z.output<typeof siteSchema>

/** Not as a union, whose faults would say nothing of the keys. */
const entry = z.unknown().transform((value, context): SiteEntry | PushingEntry => {
  const read = isPushing(value) ? pushingSite.safeParse(value) : siteSchema.safeParse(value)
  if (read.success) return read.data
  for (const issue of read.error.issues) context.issues.push({ ...issue, input: undefined })
  return z.NEVER
})

const limits = z.strictObject(
  {
    response_bytes: limitShape.response_bytes.default(256 * 2 ** 20),
    series: limitShape.series.default(1_000_000),
  },
  expected("a map of response_bytes and series"),
)
export type Limits = z.output<typeof limits>

export const sitesFileSchema = z.strictObject(
  {
    // every site commented out leaves a null
    sites: z.preprocess((value) => value ?? [], z.array(entry, expected("a list of sites"))),
    limits: limits.prefault({}),
  },
  expected("a map with the key sites"),
)

/** `push`: whatever stands there. */
export type ReadableSite = Partial<SiteEntry> & { readonly push?: unknown }

/** What is right in each entry, so that one fault does not hide those that show only across keys, entries and files. */
export const readableSites: z.ZodType<readonly ReadableSite[]> = z
  .object({ sites: z.array(readable({ ...siteShape, tls: readable(tlsShape).optional(), push: z.unknown() })) })
  .transform(({ sites }) => sites)
  .catch([])

function readable<Shape extends Readonly<Record<string, z.ZodType>>>(
  shape: Shape,
): z.ZodType<Partial<z.output<z.ZodObject<Shape>>>> {
  const keys = Object.entries(shape).map(([key, schema]) => [key, schema.catch(undefined)])
  return z.object(Object.fromEntries(keys) as Shape).catch({} as never)
}
