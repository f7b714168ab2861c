import type { Details } from "../cause.ts"
import { causes } from "./entry.ts"

/** The site delivers, or is about to: what needs attention before it does no more. */
export const ATTENTION = causes({
  series_dropped: {
    title: "series dropped",
    sentence: "The site delivers {now|far fewer} series now[, {before} yesterday].",
    todo: "Ask the site's admin whether projects were removed or an exporter restarted.",
    todoAtSite: "Check whether projects were removed or an exporter restarted.",
    seenBy: "`scrape_samples_scraped` fell by more than 20 % against 24 hours ago",
    delivers: true,
    example: { now: "412", before: "1,904" },
  },
  certificate_expires: {
    title: "certificate expires",
    sentence: "The site's certificate expires {in|soon}[ ({not_after})].",
    todo: "Ask the site's admin to renew the certificate of their proxy.",
    todoAtSite: "Renew the certificate of your proxy.",
    stage: "tls",
    seenBy: "the probe's certificate ends within 14 days",
    delivers: true,
    example: { in: "in 6 days", not_after: "6 Dec 2026, 10:00:00 UTC" },
  },
  token_expires: {
    title: "token expires",
    sentence: "The token for this site expires {in|soon}.",
    todo: "{do|Write a new token to its file}[ {file}]{besides|; the portal applies it without a restart}.",
    todoAtSite: "Ask the portal's operator for a new token, or whether it is renewed.",
    stage: "token",
    seenBy: "less than a quarter of the token's life is left, by its own claims",
    delivers: true,
    example: { in: "in 9 minutes", file: "tokens/site-a" },
  },
  nearly_too_slow: {
    title: "nearly too slow",
    sentence: "A scrape takes {took|nearly all} of {timeout|its timeout}.",
    todo: "Request fewer series, or raise timeout in sites.yaml[, line {line}].",
    todoAtSite: "Look at the load of your Prometheus, or share less.",
    stage: "response",
    seenBy: "`scrape_duration_seconds` is above 70 % of the timeout",
    delivers: true,
    example: { took: "24.1 s", timeout: "30 s", line: "12" },
  },
  one_scrape_failed: {
    title: "one scrape failed",
    sentence: "One scrape failed[: {said}].",
    todo: "Nothing, unless it comes again: a site counts as not delivering from the second failed scrape on.",
    seenBy: "the last scrape failed, the one before succeeded",
    example: { said: "the connection to the site was reset" },
  },
  waiting: {
    title: "not scraped yet",
    sentence: "The site waits for its first scrape[ since {since}; it is due by {due}].",
    todo: "Wait for one interval.",
    seenBy: "the target's health is `unknown` and it was never scraped",
    example: { since: "30 Nov 2026, 14:07:31 UTC", due: "30 Nov 2026, 14:08:01 UTC" },
  },
  other: {
    title: "other reason",
    sentence: "The scrape failed[ {where}] for a reason that is not known here[: {text}].",
    todo: "Check the site now: the checklist shows how far a request gets. The reason is in Prometheus' own words.",
    todoAtSite: "The checklist shows how far a request gets; look at the log of your proxy.",
    vague: true,
    seenBy: "no text of this table matches",
    derive: ({ begun }): Details => (begun === "yes" ? { where: "in the middle of the response" } : {}),
    example: { text: "something new", begun: "yes" },
  },
})
