import type { Labels } from "#core/metrics/exposition.ts"
import type { Api } from "./api.ts"

/** Labels for what differs between clouds: none where there is only one. */
export function tellApart(apis: readonly Pick<Api, "cloud" | "region">[]): readonly Labels[] {
  const differ = (["cloud", "region"] as const).filter((what) => new Set(apis.map((api) => api[what])).size > 1)
  return apis.map((api) => Object.fromEntries(differ.map((what) => [what, api[what] ?? ""])))
}
