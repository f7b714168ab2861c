/** Of requests that change sites.yaml: what OpenAPI says beside the schemas that all share. */
const text = { type: "string" } as const
const any = {} as const

/** Keys of a site that a request may hold; what they may hold is said by the faults of the response. */
const keys = {
  labels: any,
  match: any,
  interval: any,
  timeout: any,
  limits: any,
  proxy_url: any,
  drop_labels: any,
  metric_relabel_configs: any,
  shard: any,
  token: { type: ["object", "null"], description: "The name of a file or variable of the portal, never the token." },
  jwt: any,
  tls: any,
} as const

export const changeSchemas = {
  NewSite: {
    type: "object",
    properties: { name: text, url: text, ...keys },
    required: ["name", "url"],
    additionalProperties: false,
  },
  SiteChange: { type: "object", description: "null removes a key.", properties: keys, additionalProperties: false },
  Pause: { type: "object", properties: { why: text }, additionalProperties: false },
  Nothing: { type: "object" },
  Applied: {
    type: "object",
    properties: {
      site: text,
      action: { enum: ["added", "changed", "paused", "resumed", "removed", "unchanged"] },
      outcome: {
        enum: ["confirmed", "pending", "refused"],
        description: "Whether Prometheus has the change; the file has it.",
      },
      reason: { type: ["string", "null"], description: "Why it is not confirmed." },
    },
    required: ["site", "action", "outcome", "reason"],
    additionalProperties: false,
  },
  Faults: {
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: {
          code: text,
          message: text,
          faults: {
            type: "array",
            items: {
              type: "object",
              properties: { where: text, message: text },
              required: ["where", "message"],
              additionalProperties: false,
            },
          },
        },
        required: ["code", "message", "faults"],
        additionalProperties: false,
      },
    },
    required: ["error"],
    additionalProperties: false,
  },
} as const

const content = (name: string) => ({ "application/json": { schema: { $ref: `#/components/schemas/${name}` } } })
const etag = { ETag: { schema: text, description: "Of sites.yaml as it is now." } }
const applied = (description: string) => ({ description, headers: etag, content: content("Applied") })
const error = (description: string) => ({ description, content: content("Error") })

const ifMatch = {
  name: "If-Match",
  in: "header",
  description: "Changes no other version of sites.yaml than the one with this ETag.",
  schema: text,
}

/** An operation that changes sites.yaml. */
export function change(
  operationId: string,
  summary: string,
  { body, parameters = [] }: { readonly body: keyof typeof changeSchemas; readonly parameters?: readonly object[] },
) {
  const adds = body === "NewSite"
  return {
    operationId,
    summary,
    parameters: [...parameters, ifMatch],
    security: [{ operator: [] }],
    requestBody: { content: content(body) },
    responses: {
      [adds ? 201 : 200]: applied("Prometheus has confirmed the change, or all was so already."),
      202: applied("The file is changed; Prometheus has not confirmed it, or has refused it."),
      400: error("No JSON."),
      401: error("No token of an operator."),
      403: error("No right to change sites, or sent by a page of another site."),
      ...(adds ? { 409: error("There is a site of this name.") } : { 404: error("No site of that name.") }),
      412: error("Another version than that of If-Match."),
      413: error("Too large."),
      415: error("Not sent as application/json."),
      422: { description: "What is wrong with the request or the file that would be.", content: content("Faults") },
      500: error("The file cannot be written, with the reason."),
    },
  }
}
