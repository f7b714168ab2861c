import type { TextResponse } from "#core/http/client.ts"
import { statusReason } from "#core/http/status.ts"
import type { Service } from "./api.ts"
import { type ServiceFailure, ServiceError } from "./errors.ts"
import { isItem } from "./response.ts"
import type { TokenScope } from "./token.ts"

/** The rule that has to allow a request, as it is called in the service's policy. */
const POLICIES: readonly (readonly [service: Service, path: RegExp, policy: string, wayOut?: string])[] = [
  ["compute", /^\/os-simple-tenant-usage$/, "os_compute_api:os-simple-tenant-usage:list"],
  ["compute", /^\/servers\/detail$/, "os_compute_api:servers:detail:get_all_tenants"],
  ["compute", /^\/os-quota-sets\//, "os_compute_api:os-quota-sets:show"],
  ["identity", /^\/projects$/, "identity:list_projects"],
  ["identity", /^\/domains$/, "identity:list_domains", ". To export one domain needs less: --domain-id"],
]

interface RefusedRequest {
  readonly service: Service
  /** Without the query. */
  readonly path: string
  readonly url: string
  readonly microversion?: string | undefined
  /** What the token is for. */
  readonly scope?: TokenScope
}

/** Why a service did not respond with 200, and what to do. */
export function refusal(
  { service, path, url, microversion, scope }: RefusedRequest,
  response: TextResponse,
): ServiceError {
  const { status } = response
  const reason = status === 406 ? "microversion" : status === 413 ? "rate_limited" : statusReason(status)
  const [, , policy, wayOut = ""] = POLICIES.find(([of, pattern]) => of === service && pattern.test(path)) ?? []
  // Nova's database refuses what belongs to no project, whatever the policy says
  const byScope =
    service === "compute" && (scope === "domain" || scope === "system")
      ? `. The user signs in to a ${scope}, which Nova allows admins only: sign in to a project (OS_PROJECT_NAME)`
      : ""
  const rule = policy === undefined ? "its policy" : `the policy ${policy}`
  const texts: Readonly<Partial<Record<ServiceFailure, string>>> = {
    redirect: `redirects (${status}), and redirects are not followed. Is the address right, with https and the port?`,
    unauthorized:
      "does not accept a token that is new (401). Do this service and the identity service belong together?",
    forbidden: `refuses the user (403): ${rule} requires another role; docs/openstack.md lists which${wayOut}${byScope}`,
    not_found: `has no such address (404)${serviceMessage(response)}`,
    microversion: `does not support microversion ${microversion ?? "of the request"} (406). Nova 15 (Ocata) or later is needed`,
    rate_limited: `is sent too many requests (${status}). Raise --update-interval, or its limit`,
    server_error: `responded with ${status}: it, or a proxy in front of it, is failing`,
  }
  const text = texts[reason] ?? `responded with ${status}${serviceMessage(response)}`
  return new ServiceError(reason, `${service} at ${url} ${text}`, { responseStatus: status })
}

/** The service's own words, if it has some: `{"badRequest": {"message": …}}`. */
export function serviceMessage({ body }: TextResponse): string {
  let parsed: unknown
  try {
    parsed = JSON.parse(body)
  } catch {
    return "" // a page of something in between: its status is enough
  }
  const inner = isItem(parsed) ? Object.values(parsed).filter(isItem) : []
  const message = inner.map((value) => value.message).find((text) => typeof text === "string")
  return message === undefined ? "" : `: ${message.replaceAll(/\s+/g, " ").slice(0, 200)}`
}
