import { type Shipped, usesOf } from "../../../site/prometheus/testing.ts"

/** How many series an expression has. */
export async function resultsOf(prometheus: string, expression: string): Promise<number> {
  const response = await fetch(`${prometheus}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query: expression }),
  })
  const { data, error } = (await response.json()) as { data?: { result: readonly unknown[] }; error?: string }
  if (data === undefined) throw new Error(`${expression}: ${error}`)
  return data.result.length
}

/** Where the expressions stand that have no series. */
export async function emptyOf(queries: readonly Shipped[], prometheus: string): Promise<readonly string[]> {
  const empty: string[] = []
  for (const { where, expression } of queries) {
    if ((await resultsOf(prometheus, expression)) === 0) empty.push(where)
  }
  return empty
}

/** What is missing for any of the expressions, each thing once. */
export async function missingOfAny(shipped: readonly Shipped[], prometheus: string): Promise<readonly string[]> {
  const missing: string[] = []
  for (const one of shipped) missing.push(...(await missingOf(one, prometheus)))
  return [...new Set(missing)]
}

/** Metrics without series, and labels that no series has. */
export async function missingOf({ where, expression, shown }: Shipped, prometheus: string): Promise<string[]> {
  const { matched, grouped } = usesOf(expression)
  const missing: string[] = []
  const present = new Set<string>()
  for (const [metric, labels] of matched) {
    const query = new URLSearchParams({ "match[]": metric }).toString()
    const response = await fetch(`${prometheus}/api/v1/series?${query}`)
    const { data } = (await response.json()) as { data: readonly Readonly<Record<string, string>>[] }
    const names = new Set(data.flatMap((series) => Object.keys(series)))
    if (data.length === 0) missing.push(`${where}: ${metric}`)
    missing.push(...[...labels].filter((label) => !names.has(label)).map((label) => `${where}: ${metric}{${label}}`))
    for (const name of names) present.add(name)
  }
  const others = [...grouped, ...shown].filter((label) => !present.has(label))
  return [...missing, ...others.map((label) => `${where}: ${label}`)]
}
