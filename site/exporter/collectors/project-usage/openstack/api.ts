/** The services that are asked, by their types in the catalog. */
export type Service = "compute" | "identity"

export interface Get {
  /** Sent as given, in this order. */
  readonly query?: Readonly<Record<string, string>>
  /** As `OpenStack-API-Version: compute VERSION`. */
  readonly microversion?: string
  readonly signal: AbortSignal
}

/** One region of one cloud, signed in: tokens are got, renewed and replaced behind it. */
export interface Api {
  /** As in clouds.yaml; undefined where variables describe the only cloud. */
  readonly cloud: string | undefined
  readonly region: string | undefined
  /**
   * The JSON below a service's endpoint: `get("compute", "/servers/detail", …)`. Rejects with an error of errors.ts
   * that names the service, what it answered and what to do; never with a secret.
   */
  get(service: Service, path: string, options: Get): Promise<unknown>
  /** A service's clock when it last answered, in whole seconds of Unix time; undefined if it does not tell. */
  dateOf(service: Service): number | undefined
}
