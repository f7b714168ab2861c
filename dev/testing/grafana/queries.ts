import { type Shipped, usesOf } from "../../../site/prometheus/testing.ts"

/** How many series an expression has. */
export async function resultsOf(prometheus: string, expression: string): Promise<number> {
  const answer = await fetch(`${prometheus}/api/v1/query`, {
    method: "POST",
    body: new URLSearchParams({ query: expression }),
  })
  const { data, error } = (await answer.json()) as { data?: { result: readonly unknown[] }; error?: string }
  if (data === undefined) throw new Error(`${expression}: ${error}`)
  return data.result.length
}

/** Metrics without series, and labels that no series has. */
export async function missingOf({ where, expression, shown }: Shipped, prometheus: string): Promise<string[]> {
  const { matched, grouped } = usesOf(expression)
  const missing: string[] = []
  const present = new Set<string>()
  for (const [metric, labels] of matched) {
    const query = new URLSearchParams({ "match[]": metric }).toString()
    const answer = await fetch(`${prometheus}/api/v1/series?${query}`)
    const { data } = (await answer.json()) as { data: readonly Readonly<Record<string, string>>[] }
    const names = new Set(data.flatMap((series) => Object.keys(series)))
    if (data.length === 0) missing.push(`${where}: ${metric}`)
    missing.push(...[...labels].filter((label) => !names.has(label)).map((label) => `${where}: ${metric}{${label}}`))
    for (const name of names) present.add(name)
  }
  const others = [...grouped, ...shown].filter((label) => !present.has(label))
  return [...missing, ...others.map((label) => `${where}: ${label}`)]
}
