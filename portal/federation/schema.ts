import { z } from "zod"
import { explain } from "#core/errors.ts"
import { compile } from "#core/promql/compiled.ts"
import { parseSelector } from "#core/promql/parse.ts"
import { expected, parsed } from "#core/config/schema.ts"
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
import { dropLabels, metricRelabelConfigs } from "./relabel-schema.ts"

/** What the original stack federates. */
const DEFAULT_MATCH = '{job="project_usages",__name__=~"project_.*_usage"}'
/** Beyond a day Prometheus would show a site as absent between scrapes anyway. */
const LONGEST_INTERVAL = 86_400

const name = z
  .string(expected("a name such as site-a"))
  .regex(
    /^[a-z\d](?:[a-z\d.-]{0,61}[a-z\d])?$/i,
    "must be 1 to 63 letters, digits, dots and dashes, with a letter or digit at both ends",
  )

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

const RESERVED_LABELS = ["site", "job", "instance", "le", "quantile"]
/** Those of usage: set for a site, they would make one series of all its projects. */
const USAGE_LABELS = ["project_id", "project_name", "domain_id", "domain_name"]
const isNoneOf = (labels: readonly string[], reason: string) =>
  z.refine<string>((label) => !labels.includes(label), `must not be one of ${labels.join(", ")}, ${reason}`)
const labelName = z
  .string()
  .regex(/^[a-zA-Z_]\w*$/, { error: "is no label name: letters, digits and _ only, and no digit first", abort: true })
  .regex(/^(?!__)/, "must not begin with __, which Prometheus reserves")
  .check(isNoneOf(RESERVED_LABELS, "which have a meaning already"))
  .check(isNoneOf(USAGE_LABELS, "by which the series of usage differ"))
const labelValue = z
  .union(
    [z.string().min(1, "must not be empty: leave the label out"), z.number().transform(String)],
    expected("text or a number; quote it"),
  )
  .refine(
    (value) => value.isWellFormed() && !CONTROL.test(value),
    "must be one line of valid Unicode without control characters",
  )
const labels = z.record(labelName, labelValue, "must be labels, such as {location: city-a}")

/** Kept as it is written: proxies that compare bytes, such as the original HAProxy's, accept only the spelling they know. */
const selector: Parse<string> = (text) => {
  if (CONTROL.test(text)) return new Wrong("must be one line without control characters")
  try {
    const { invalid } = compile(parseSelector(text))
    return invalid === undefined ? text : new Wrong(invalid)
  } catch (error) {
    return new Wrong(explain(error))
  }
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

const siteShape = {
  name,
  url: parsed("a URL such as https://site-a.example.org", siteUrl),
  labels: labels.default({}),
  match: z
    .array(parsed("a selector", selector), expected("a list of selectors"))
    .min(1, "must hold at least one selector")
    .default([DEFAULT_MATCH]),
  interval: parsed("a duration such as 30s", interval).default(30),
  timeout: parsed("a duration such as 30s", interval).optional(),
  token: token.optional(),
  basic_auth: basicAuth.optional(),
  authorization: authorization.optional(),
  oauth2: oauth2.optional(),
  tls: tls.optional(),
  proxy_url: proxyUrl.optional(),
  drop_labels: dropLabels.optional(),
  metric_relabel_configs: metricRelabelConfigs.optional(),
  ...NAMED_OTHERWISE,
}
const siteSchema = z.strictObject(siteShape, expected("a site: a map with name, url and credentials such as token"))
export type SiteEntry = z.output<typeof siteSchema>

/** Generous: they hold a broken or hostile site off, not a large one. */
const limits = z.strictObject(
  {
    response_bytes: parsed("a size such as 256MiB", size).default(256 * 2 ** 20),
    series: z.int(expected("a whole number")).positive("must be a whole number above 0").default(1_000_000),
  },
  expected("a map of response_bytes and series"),
)
export type Limits = z.output<typeof limits>

export const sitesFileSchema = z.strictObject(
  {
    // every site commented out leaves a null
    sites: z.preprocess((value) => value ?? [], z.array(siteSchema, expected("a list of sites"))),
    limits: limits.prefault({}),
  },
  expected("a map with the key sites"),
)

/** What is right in each entry, so that one fault does not hide those that show only across keys, entries and files. */
export const readableSites: z.ZodType<readonly Partial<SiteEntry>[]> = z
  .object({ sites: z.array(readable({ ...siteShape, tls: readable(tlsShape).optional() })) })
  .transform(({ sites }) => sites)
  .catch([])

function readable<Shape extends Readonly<Record<string, z.ZodType>>>(
  shape: Shape,
): z.ZodType<Partial<z.output<z.ZodObject<Shape>>>> {
  const keys = Object.entries(shape).map(([key, schema]) => [key, schema.catch(undefined)])
  return z.object(Object.fromEntries(keys) as Shape).catch({} as never)
}
