import { causes } from "./entry.ts"
import { skewOf } from "./skew.ts"

/** The scrape succeeds and Prometheus reports no error, yet the data are not there, or not as they should be. */
export const SILENT = causes({
  silent_empty: {
    title: "no series",
    sentence: "The site responds, but without any series.",
    todo: "Its exporter may be down, or match selects nothing: compare match in sites.yaml[, line {line},] with what the site has.",
    todoAtSite:
      "Your exporter may be down, or the selectors select nothing: compare them with what your Prometheus has.",
    stage: "freshness",
    seenBy: "`scrape_samples_scraped` is 0, or the probe's response has no series",
    delivers: true,
    example: { line: "12" },
  },
  silent_dropped: {
    title: "all series dropped",
    sentence: "The site responds with {n|some} series, and the rules of its own entry in sites.yaml drop all of them.",
    todo: "Correct its metric_relabel_configs in sites.yaml[, line {line}].",
    stage: "freshness",
    seenBy: "`scrape_samples_post_metric_relabeling` is 0, and `scrape_samples_scraped` is not",
    delivers: true,
    example: { n: "312", line: "12" },
  },
  silent_stale: {
    title: "old data",
    sentence: "The site responds, but its newest sample is {age|too} old[ (since {since})].",
    todo: "Ask the site's admin whether their Prometheus scrapes the exporter.",
    todoAtSite: "Check whether your Prometheus scrapes the exporter.",
    stage: "freshness",
    seenBy: "the newest timestamp in the probe's response, by the portal's clock",
    delivers: true,
    example: { age: "26 min", since: "30 Nov 2026, 13:41:31 UTC" },
  },
  silent_clock: {
    title: "clock wrong",
    sentence: "The site's clock is {off|ahead or behind}: Prometheus drops its samples without an error.",
    todo: "Ask the site's admin to synchronise the clock (NTP).",
    todoAtSite: "Synchronise the clock (NTP).",
    stage: "freshness",
    seenBy: "the header `Date` and the timestamps in the probe's response, ahead of the portal's clock or behind it",
    delivers: true,
    derive: skewOf,
    example: { skew: "660" },
  },
  silent_duplicate: {
    title: "duplicate samples",
    sentence: "{what|Some samples are} given twice with different values; one value of each is kept.",
    todo: "The site federates two Prometheus or exporters without a label that distinguishes them: ask its admin[ about {metric}].",
    todoAtSite:
      "Two Prometheus or exporters are federated without a label that distinguishes them[: look at {metric}].",
    stage: "exposition",
    seenBy: "two lines of the same series and time in the probe's response",
    delivers: true,
    derive: ({ n }): { readonly what?: string } =>
      n === undefined ? {} : { what: n === "1" ? "A sample is" : `${n} samples are` },
    example: { n: "312", metric: "project_vcpu_usage" },
  },
  label_clash: {
    title: "another site's labels",
    sentence: "The site's series carry a label of another site[: {labels}][, as {other} has].",
    todo: "They are kept apart as exported_…; ask the site's admin whether their proxy serves another site's Prometheus, and check url in sites.yaml[, line {line}].",
    todoAtSite: "Check whether your proxy serves another site's Prometheus.",
    stage: "exposition",
    seenBy: "labels of `sites.yaml` in the probe's response, with the values of another site",
    delivers: true,
    example: { labels: 'location="city-b"', other: "site-b", line: "12" },
  },
})
