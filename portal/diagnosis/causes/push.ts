import { causes } from "./entry.ts"

const REMOTE_WRITE =
  "The page of the site has the remote_write that it needs; its Prometheus logs why a write fails, as does the tenancy proxy"

/** A site that nobody requests: it writes to fedstack tenancy-proxy, or does not. */
export const PUSH = causes({
  push_silent: {
    title: "writes nothing",
    sentence: "The site has not written since {since|some time}.",
    todo: `Ask the site's admin whether their Prometheus runs and reaches the portal, and whether its token is the one of sites.yaml[, line {line}]. ${REMOTE_WRITE}.`,
    seenBy:
      "`fedstack_tenancy_proxy_sender_last_write_timestamp_seconds` is more than ten intervals old, and more than five minutes",
    example: { since: "30 Nov 2026, 13:41:31 UTC", line: "12" },
  },
  push_late: {
    title: "writes late",
    sentence: "The site last wrote {age|some time} ago, though it should every {interval|interval}.",
    todo: "Wait: its Prometheus may be restarting, or catching up. If it stays, ask the site's admin for its log.",
    seenBy:
      "`fedstack_tenancy_proxy_sender_last_write_timestamp_seconds` is more than two intervals old, and more than a minute",
    example: { age: "2 min", interval: "30 seconds" },
  },
  push_never: {
    title: "has not written yet",
    sentence: "The site has never written since it is listed[, {since}].",
    todo: `Send the site's admin the token, if that was not done yet. ${REMOTE_WRITE}: an unknown token is status 401.`,
    seenBy: "`fedstack_tenancy_proxy_sender_last_write_timestamp_seconds` is 0, for more than ten minutes",
    example: { since: "30 Nov 2026, 14:07:31 UTC" },
  },
  push_waiting: {
    title: "waits for a write",
    sentence: "The site has not written yet[; it is listed since {since}].",
    todo: "Set up its Prometheus: the page of the site has the remote_write that it needs.",
    seenBy: "the same, before that",
    example: { since: "30 Nov 2026, 14:07:31 UTC" },
  },
  push_set_aside: {
    title: "writes what is not shared",
    sentence:
      "The site writes series that are not shared, or that its tenants do not have: they are set aside[, {n} in ten minutes].",
    todo: "Ask its admin to keep them back with write_relabel_configs, as the page of the site has them; or share them, by match in sites.yaml[, line {line}].",
    delivers: true,
    seenBy: "`fedstack_tenancy_proxy_sender_set_aside_series_total` grew within ten minutes",
    example: { n: "1,904", line: "12" },
  },
  push_not_measured: {
    title: "not measured",
    sentence: "It is not known whether the site writes: Prometheus has no metrics of the tenancy proxy for it.",
    todo: "Let Prometheus scrape fedstack tenancy-proxy, and start that with --sites and this sites.yaml.",
    seenBy: "Prometheus has no `fedstack_tenancy_proxy_sender_last_write_timestamp_seconds` of the site",
    example: {},
  },
})
