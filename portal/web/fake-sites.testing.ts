import type { Banner, SiteStatus, State } from "../status/overview.ts"

/** The moment of all fakes: a Monday in November. */
export const NOW = new Date("2026-11-30T14:07:31Z")

/** So many seconds before `now`. */
export const before = (now: Date, seconds: number): Date => new Date(now.getTime() - seconds * 1000)
const MINUTE = 60
const HOUR = 3600
const DAY = 86_400

/** A site that delivers, and what differs. */
export function fakeSite(name: string, patch: Partial<SiteStatus> = {}, now = NOW): SiteStatus {
  const state = patch.state ?? "ok"
  const since = patch.since ?? before(now, 12 * DAY)
  const failing = state === "down" || state === "waiting" || state === "paused"
  return {
    name,
    labels: { location: "Aachen", location_id: "8676" },
    url: `https://${name}.example.org/monitoring`,
    state,
    lastState: state,
    cause: null,
    causeTitle: null,
    reason: null,
    todo: null,
    since,
    lastDelivery: state === "waiting" ? null : failing ? since : before(now, 9),
    series: failing ? null : 2204,
    seriesDayAgo: failing ? null : 2201,
    durationSeconds: failing ? null : 0.31,
    timeoutSeconds: 30,
    intervalSeconds: 30,
    day: fakeDay(state, (now.getTime() - since.getTime()) / 1000),
    dayEnds: new Date(Math.ceil(now.getTime() / 900_000) * 900_000),
    shard: "prometheus",
    ...patch,
  }
}

/** In this state for so long, delivering before; nothing is known before a first scrape. */
function fakeDay(state: State, seconds: number): SiteStatus["day"] {
  const quarters = Math.min(96, Math.ceil(seconds / 900))
  return Array.from({ length: 96 }, (_, index) => (index >= 96 - quarters ? state : state === "waiting" ? null : "ok"))
}

type Trouble = Pick<SiteStatus, "state" | "cause" | "causeTitle" | "reason" | "todo"> & {
  readonly seconds: number
  readonly patch?: Partial<SiteStatus>
}

const trouble = (
  state: State,
  seconds: number,
  [cause, causeTitle, reason, todo]: readonly [string, string, string, string],
  patch?: Partial<SiteStatus>,
): Trouble => ({ state, seconds, cause, causeTitle, reason, todo, ...(patch && { patch }) })

const EXPIRED = (days: string) =>
  [
    "tls_expired",
    "certificate expired",
    `The site's certificate expired ${days} ago.`,
    "Ask the site to renew the certificate of its proxy.",
  ] as const

/** One of each kind and more, as a portal of 30 sites may have on a bad day. */
const TROUBLES: readonly Trouble[] = [
  trouble("down", 3 * DAY + 4 * HOUR, EXPIRED("3 days")),
  trouble("down", 2 * HOUR + 12 * MINUTE, [
    "unauthorized",
    "token refused",
    "The site refuses the portal's token (401).",
    "Give the site the hash of the token in use: fedstack token hash.",
  ]),
  trouble("down", 41 * MINUTE, [
    "name_not_found",
    "name not found",
    "The name prometheus.site.example.org does not exist.",
    "Check the url in sites.yaml, line 84; if it is right, ask the site about its DNS.",
  ]),
  trouble("down", 18 * MINUTE, [
    "forbidden",
    "selector not shared",
    'The site does not share up{job="node"} with the portal (403).',
    "Remove it from match in sites.yaml, line 131, or ask the site to share it.",
  ]),
  trouble("down", 6 * MINUTE, [
    "timeout",
    "no response in time",
    "The site accepts the connection, but sends nothing within 30 s.",
    "Ask the site to look at the load of its Prometheus.",
  ]),
  trouble("down", 5 * HOUR + 2 * MINUTE, EXPIRED("5 hours")),
  trouble(
    "stale",
    24 * MINUTE,
    [
      "stale",
      "old data",
      "The site responds, but its newest sample is 26 min old.",
      "Ask the site whether its Prometheus scrapes the exporter.",
    ],
    { series: 3120, seriesDayAgo: 3120 },
  ),
  trouble(
    "stale",
    5 * HOUR + 3 * MINUTE,
    [
      "samples_ahead",
      "clock ahead",
      "The site's clock is 11 min ahead; Prometheus refuses its samples.",
      "Ask the site to turn on NTP.",
    ],
    { series: 640, seriesDayAgo: 640 },
  ),
  trouble(
    "attention",
    67 * MINUTE,
    [
      "series_dropped",
      "series dropped",
      "412 series now, 1,904 yesterday.",
      "Ask the site whether projects were removed, or its exporter restarted.",
    ],
    { series: 412, seriesDayAgo: 1904 },
  ),
  trouble("attention", 8 * DAY, [
    "tls_expires",
    "certificate expires",
    "The site's certificate expires in 6 days.",
    "Tell the site now.",
  ]),
  trouble(
    "attention",
    3 * HOUR + 40 * MINUTE,
    ["slow", "nearly too slow", "A scrape takes 24 s of 30 s.", "Share fewer series, or raise timeout in sites.yaml."],
    { series: 48_200, seriesDayAgo: 48_150, durationSeconds: 24.08 },
  ),
  {
    state: "waiting",
    seconds: 40,
    cause: "waiting",
    causeTitle: "not scraped yet",
    reason:
      "The site waits for its first scrape since 30 Nov 2026, 14:07:31 UTC; it is due by 30 Nov 2026, 14:08:01 UTC.",
    todo: "Wait for one interval.",
  },
  {
    state: "paused",
    seconds: 3 * DAY,
    cause: "paused",
    causeTitle: "paused",
    reason: "Paused by mm on 27 Nov 2026: data centre move.",
    todo: null,
  },
]

const PLACES =
  "Aachen Bonn Chemnitz Dortmund Erlangen Freiburg Göttingen Hamburg Innsbruck Jena Kiel Leipzig Marburg Nijmegen Oldenburg Passau Rostock Stuttgart Tübingen Ulm Vienna Würzburg Zurich".split(
    " ",
  )

/** So many sites, about 13 of 30 in trouble of every kind; from 100 on one in twenty, of which many share a reason. */
export function fakeSites(number: number, now = NOW): readonly SiteStatus[] {
  return Array.from({ length: number }, (_, index) => {
    const place = PLACES[index % PLACES.length] ?? ""
    const name = `${place
      .toLowerCase()
      .normalize("NFD")
      .replace(/[^a-z]/g, "")}-${index + 1}`
    const labels = { location: place, location_id: String(8000 + index) }
    const given =
      number <= 2
        ? TROUBLES[index * 99]
        : number < 100
          ? TROUBLES[index % 2 === 0 ? index / 2 : 99]
          : index % 20 === 0
            ? TROUBLES[(index / 20) % TROUBLES.length]
            : undefined
    const delivering = {
      labels,
      since: before(now, (index + 1) * 7 * HOUR),
      lastDelivery: before(now, index % 30),
      series: 300 + ((index * 7919) % 9000),
      seriesDayAgo: 300 + ((index * 7919) % 9000),
      durationSeconds: 0.1 + ((index * 37) % 90) / 100,
    }
    if (given === undefined) return fakeSite(name, delivering, now)
    const { seconds, patch, ...finding } = given
    return fakeSite(name, { labels, ...finding, since: before(now, seconds), ...patch }, now)
  })
}

export const fakeBanner = (patch: Partial<Banner> = {}): Banner => ({
  id: "prometheus_unreachable",
  severity: "trouble",
  message: "Prometheus does not respond: connection refused.",
  todo: "See whether it runs at http://prometheus:9090.",
  since: before(NOW, 330),
  ...patch,
})
