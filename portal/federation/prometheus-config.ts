import { Document, isMap, isSeq, parseDocument, type ScalarTag, type Tags } from "yaml"
import type { BaseConfig } from "./base-config.ts"
import { resolvePaths } from "./base-paths.ts"
import { hostOf, jobCredentials } from "./job-credentials.ts"
import { HEADER } from "./publish.ts"
import type { Limits } from "./schema.ts"
import { addShard, SHARD, type ShardLabel } from "./shard-config.ts"
import { siteRelabelling } from "./site-labels.ts"
import { limitsOf, type Site } from "./sites.ts"
import { knowsStaleness, type PrometheusVersion } from "./version.ts"
import { yamlItems } from "./yaml-text.ts"

/** Stands in the document where the sites' jobs come. */
const JOBS = "the jobs of fedstack's sites"

/** Where the sites are only some of all: those of one of several Prometheus. */
interface Part {
  readonly shard?: ShardLabel | undefined
  /** By whose labels series differ. */
  readonly all?: readonly Pick<Site, "labels">[]
}

/** The whole Prometheus configuration as YAML: the base configuration, and one scrape job per site that is not paused. */
export function prometheusConfig(
  sites: readonly Site[],
  limits: Limits,
  base: BaseConfig,
  version: PrometheusVersion,
  { shard, all = sites }: Part = {},
): string {
  const parsed = parseDocument(base.text, { customTags: keepNumbers })
  const document = isMap(parsed.contents) ? parsed : new Document({})
  if (isMap(document.contents)) document.contents.flow = false // what is written below needs lines of its own
  resolvePaths(document, base.folder)
  if (shard !== undefined) addShard(document, shard)
  const labels = new Set([...base.externalLabels, ...all.flatMap((site) => Object.keys(site.labels))])
  if (shard !== undefined) labels.add(SHARD)
  const scraped = sites.filter(({ paused }) => paused === undefined)
  if (base.ruleFiles.length > 0) document.set("rule_files", document.createNode(base.ruleFiles))
  const own = document.get("scrape_configs")
  const place = scraped.length === 0 ? [] : [JOBS]
  if (!isSeq(own)) document.set("scrape_configs", document.createNode(place))
  else if (place.length > 0) {
    own.flow = false
    own.add(document.createNode(JOBS))
  }
  // quoted, because Prometheus' YAML 1.1 reads more words as something else than text
  const text = document.toString({ lineWidth: 0, defaultStringType: "QUOTE_DOUBLE", defaultKeyType: "PLAIN" })
  const line = `  - "${JOBS}"\n`
  const [before = "", after = ""] = text.split(line)
  const jobs = scraped.map((site) => yamlItems([job(site, limits, labels, version)], "  "))
  return [HEADER, before, ...jobs, after].join("")
}

function job(site: Site, limits: Limits, labelsOfPortal: ReadonlySet<string>, version: PrometheusVersion): object {
  const { name, url, match, interval, timeout } = site
  const { response_bytes, series } = limitsOf(site, limits)
  const labels = { site: name, ...site.labels }
  return {
    job_name: name,
    scheme: url.protocol.slice(0, -1),
    metrics_path: `${url.pathname.replace(/\/$/, "")}/federate`,
    params: { "match[]": match },
    scrape_interval: showDuration(interval),
    scrape_timeout: showDuration(timeout),
    honor_labels: true,
    track_timestamps_staleness: knowsStaleness(version) ? true : undefined, // what is undefined is not written
    // a redirect could lead the token to another host
    follow_redirects: false,
    body_size_limit: `${response_bytes}B`,
    sample_limit: series,
    proxy_url: site.proxy_url && hostOf(site.proxy_url),
    ...jobCredentials(site),
    static_configs: [{ targets: [target(url)], labels }],
    metric_relabel_configs: [...ownRules(site), ...siteRelabelling(labels, labelsOfPortal)].map(writable),
  }
}

interface OwnRule {
  readonly action?: string | undefined
  readonly regex?: string | undefined
}

/** Those of sites.yaml. They come first, so that none of them can change whose series these are. */
const ownRules = ({ drop_labels = [], metric_relabel_configs = [] }: Site): readonly OwnRule[] => [
  ...(drop_labels.length === 0 ? [] : [{ action: "labeldrop", regex: drop_labels.join("|") }]),
  ...metric_relabel_configs,
]

/** Prometheus 2.42 takes these two words for no expression at all, also where they are quoted. */
const writable = (rule: { readonly regex?: string | undefined }): object =>
  rule.regex === "~" || rule.regex === "null" ? { ...rule, regex: `(?:${rule.regex})` } : rule

const target = (url: URL): string =>
  `${url.hostname}:${url.port === "" ? (url.protocol === "https:" ? 443 : 80) : url.port}`

/** Prometheus accepts no fractions. */
const showDuration = (seconds: number): string =>
  Number.isInteger(seconds) ? `${seconds}s` : `${Math.round(seconds * 1000)}ms`

/** Numbers of the base configuration are written as they were read: `010` is 8 to Prometheus. */
const keepNumbers = (tags: Tags): Tags =>
  tags.map((tag) => {
    if (typeof tag !== "object" || tag.collection !== undefined || !/:(?:int|float)$/.test(tag.tag)) return tag
    return { ...tag, stringify: ({ source, value }) => source ?? String(value) } satisfies ScalarTag
  })
