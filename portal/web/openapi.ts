import { STAGES } from "../diagnosis/probe-report.ts"
import { STATES } from "../status/overview.ts"
import { SORTS } from "./filter.ts"
import { change, changeSchemas } from "./openapi-changes.ts"

const text = { type: "string" } as const
const textOrNull = { type: ["string", "null"] } as const
const time = { type: "string", format: "date-time" } as const
const timeOrNull = { type: ["string", "null"], format: "date-time" } as const
const count = { type: "integer", minimum: 0 } as const
const countOrNull = { type: ["integer", "null"], minimum: 0 } as const
const numberOrNull = { type: ["number", "null"] } as const
const state = { enum: STATES } as const

/** An object that has exactly these members. */
const exactly = (properties: Readonly<Record<string, object>>, description?: string) => ({
  type: "object",
  ...(description === undefined ? {} : { description }),
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
})
const listOf = (items: object) => ({ type: "array", items })
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

const site = {
  name: text,
  labels: { type: "object", additionalProperties: text },
  url: text,
  state,
  cause: { ...textOrNull, description: "The id of a cause, such as tls_expired; null where nothing is wrong." },
  reason: { ...textOrNull, description: "What is wrong, in a sentence." },
  todo: { ...textOrNull, description: "What to do about it." },
  since: { ...time, description: "Since when the site is in this state." },
  last_delivery: timeOrNull,
  series: countOrNull,
  series_day_ago: countOrNull,
  duration_seconds: numberOrNull,
  shard: { ...text, description: "The Prometheus that scrapes the site." },
}

const report = exactly({
  site: text,
  at: time,
  stages: listOf(
    exactly({
      stage: { enum: STAGES },
      outcome: { enum: ["passed", "failed", "not_reached", "skipped"] },
      detail: textOrNull,
      seconds: numberOrNull,
    }),
  ),
  findings: listOf(exactly({ cause: text, reason: text, todo: text })),
  certificate_expires: timeOrNull,
  token_expires: timeOrNull,
  clock_skew_seconds: numberOrNull,
  newest_sample: timeOrNull,
  series: countOrNull,
})

const details = {
  ...site,
  last_state: state,
  interval_seconds: { type: "number" },
  timeout_seconds: { type: "number" },
  day: listOf({ enum: [...STATES, null] }),
  day_ends: time,
  match: listOf(text),
  where: { ...text, description: "The place in sites.yaml." },
  credentials: exactly({ kind: text, file: textOrNull }, "What the site is sent; never the secret itself."),
  tls: exactly({ ca_file: textOrNull, cert_file: textOrNull, key_file: textOrNull, server_name: textOrNull }),
  proxy_url: textOrNull,
  pushes: {
    description: "Of a site that writes to the tenancy proxy; null where the portal requests it.",
    anyOf: [exactly({ tenant: textOrNull }), { type: "null" }],
  },
  paused: {
    anyOf: [exactly({ by: textOrNull, at: timeOrNull, why: textOrNull }), { type: "null" }],
  },
  token_expires: timeOrNull,
  certificate_expires: timeOrNull,
  report: { anyOf: [ref("Report"), { type: "null" }] },
  changes: listOf(ref("Change")),
}

const schemas = {
  Site: exactly(site),
  Sites: exactly({ sites: listOf(ref("Site")), as_of: time }),
  SiteDetails: exactly(details),
  Report: report,
  Change: exactly({ at: time, until: time, count, state, cause: textOrNull, reason: textOrNull, text: textOrNull }),
  Summary: exactly({
    title: text,
    mood: { enum: ["ok", "attention", "trouble"] },
    icon: text,
    counts: exactly({ total: count, ...Object.fromEntries(STATES.map((name) => [name, count])) }),
    banners: listOf(
      exactly({ id: text, severity: { enum: ["attention", "trouble"] }, message: text, todo: text, since: time }),
    ),
    config: exactly({ confirmed: timeOrNull, rule_files: listOf(text) }),
  }),
  Changes: exactly({
    id: { ...text, description: "The version that has them." },
    now: { type: "number", description: "The portal's clock, in milliseconds since 1970." },
    all: { type: "boolean", description: "Whether `rows` are all that there are." },
    rows: listOf({ type: "array", items: text, minItems: 2, maxItems: 2, description: "A site and its row in HTML." }),
    gone: listOf(text),
    details: listOf(text),
    summary: exactly({ title: text, icon: text, parts: { type: "object", additionalProperties: text } }),
  }),
  Error: exactly({ error: exactly({ code: text, message: text }) }),
}

const content = (name: string) => ({ "application/json": { schema: ref(name) } })
const response = (name: string, description: string) => ({ description, content: content(name) })
const error = (description: string) => response("Error", description)
const retryAfter = { "Retry-After": { schema: count, description: "In seconds." } }
const notModified = { description: "As If-None-Match has it." }
const siteName = { name: "name", in: "path", required: true, schema: text }
const unknownSite = error("No site of that name.")
const query = (name: string, description: string, schema: object, more: object = {}) => ({
  name,
  in: "query",
  description,
  schema,
  ...more,
})

const since = query("since", "The version that the page shows; without it everything is sent.", text)

const filters = [
  query("state", "Only sites in one of these states.", listOf(state), { style: "form", explode: false }),
  query("reason", "Only sites with this cause.", text),
  query("q", "Words that must all be found in name, host, reason or label values; key=value for a label.", {
    ...text,
    maxLength: 200,
  }),
  query("sort", "The order; a - before it reverses it.", {
    enum: SORTS.flatMap((sort) => [sort, `-${sort}`]),
    default: "state",
  }),
]

/** What the API is, as OpenAPI 3.1; a test holds it against real responses. */
export const openapi = (version: string) => ({
  openapi: "3.1.0",
  info: { title: "fedstack portal", version, description: "Which site delivers, why one does not, and what to do." },
  paths: {
    "/api/v1/sites": {
      get: {
        operationId: "listSites",
        summary: "All sites, or those that match",
        parameters: filters,
        responses: {
          200: response("Sites", "The sites."),
          304: notModified,
          400: error("A filter that cannot be understood."),
        },
      },
      post: change("addSite", "Add a site to sites.yaml", { body: "NewSite" }),
    },
    "/api/v1/sites/{name}": {
      get: {
        operationId: "getSite",
        summary: "All that is known of a site",
        parameters: [siteName],
        responses: { 200: response("SiteDetails", "The site."), 304: notModified, 404: unknownSite },
      },
      patch: change("changeSite", "Change keys of a site", { body: "SiteChange", parameters: [siteName] }),
      delete: change("removeSite", "Remove a site from sites.yaml", { body: "Nothing", parameters: [siteName] }),
    },
    "/api/v1/sites/{name}/pause": {
      post: change("pauseSite", "Stop scraping a site", { body: "Pause", parameters: [siteName] }),
    },
    "/api/v1/sites/{name}/resume": {
      post: change("resumeSite", "Scrape a paused site again", { body: "Nothing", parameters: [siteName] }),
    },
    "/api/v1/sites/{name}/check": {
      post: {
        operationId: "checkSite",
        summary: "Check a site now, the way of the scrape",
        parameters: [siteName],
        responses: {
          200: response("Report", "What was seen."),
          403: error("Sent by a page of another site."),
          404: unknownSite,
          429: { ...error("It was checked a moment ago."), headers: retryAfter },
          503: { ...error("Too many checks at the moment."), headers: retryAfter },
        },
      },
    },
    "/api/v1/summary": {
      get: {
        operationId: "getSummary",
        summary: "All sites in a sentence and counts",
        responses: { 200: response("Summary", "The summary."), 304: notModified },
      },
    },
    "/api/v1/changes": {
      get: {
        operationId: "getChanges",
        summary: "What an open page lacks since a version of it",
        parameters: [since],
        responses: { 200: response("Changes", "The changes."), 304: notModified },
      },
    },
    "/api/v1/events": {
      get: {
        operationId: "streamChanges",
        summary: "The same as server-sent events, at most one a second",
        parameters: [since, { name: "Last-Event-ID", in: "header", schema: text }],
        responses: {
          200: {
            description: "Events `changes`, each a Changes object, and `beat` every 15 s.",
            content: { "text/event-stream": { schema: text } },
          },
          204: { description: "Too many streams are open: request /api/v1/changes instead." },
        },
      },
    },
    "/api/v1/openapi.json": {
      get: {
        operationId: "getOpenapi",
        summary: "This document",
        responses: {
          200: { description: "OpenAPI 3.1.", content: { "application/json": { schema: { type: "object" } } } },
          304: notModified,
        },
      },
    },
  },
  components: {
    schemas: { ...schemas, ...changeSchemas },
    securitySchemes: { operator: { type: "http", scheme: "bearer", description: "See --web.admin-token-file." } },
  },
})
