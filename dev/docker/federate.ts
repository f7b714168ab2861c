/** What the original shared, and the proxy still does where nothing else is said. */
export const SHARED = '{job="project_usages",__name__=~"project_.*_usage"}'

export interface FederateResponse {
  readonly status: number
  readonly body: string
}

/** One request for series as a portal makes it; without a token where none is given. */
export async function federate(proxy: string, selector: string, token?: string): Promise<FederateResponse> {
  const query = new URLSearchParams({ "match[]": selector })
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const response = await fetch(`${proxy}/federate?${query.toString()}`, {
    headers,
    signal: AbortSignal.timeout(10_000),
  })
  return { status: response.status, body: await response.text() }
}

/** `NAME{LABELS}` of every sample, sorted. */
export function seriesOf(exposition: string): readonly string[] {
  return exposition
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.slice(0, line.lastIndexOf("}") + 1))
    .toSorted()
}
