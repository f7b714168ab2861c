import type { Labels } from "#core/metrics/exposition.ts"
import type { Domain } from "../cloud.ts"

/** The services that are read, by their types in the catalog. */
export type Service = "compute" | "identity"

export interface Get {
  /** Sent as given, in this order. */
  readonly query?: Readonly<Record<string, string>>
  /** As `OpenStack-API-Version: compute VERSION`. */
  readonly microversion?: string
  /** The id of a domain that is signed in to for this request, in place of what the credentials say. */
  readonly domain?: string | undefined
  readonly signal: AbortSignal
}

/** One region of one cloud, signed in: tokens are got, renewed and replaced behind it. */
export interface Api {
  /** As in clouds.yaml; undefined where variables describe the only cloud. */
  readonly cloud: string | undefined
  readonly region: string | undefined
  /**
   * The JSON below a service's endpoint: `get("compute", "/servers/detail", …)`. Rejects with an error of errors.ts
   * that names the service, its response and what to do; never with a secret.
   */
  get(service: Service, path: string, options: Get): Promise<unknown>
  /** The domains that the token names: what was signed in to, and that of the user. Rejects as `get` does. */
  ownDomains(signal: AbortSignal): Promise<readonly Domain[]>
  /** A service's clock at its last response with a date, in whole seconds of Unix time; undefined if none had one. */
  dateOf(service: Service): number | undefined
}

/** Labels for what differs between clouds: none where there is only one. */
export function distinguishingLabels(apis: readonly Pick<Api, "cloud" | "region">[]): readonly Labels[] {
  const different = (["cloud", "region"] as const).filter((name) => new Set(apis.map((api) => api[name])).size > 1)
  return apis.map((api) => Object.fromEntries(different.map((name) => [name, api[name] ?? ""])))
}
