import type { Credentials } from "./credentials.ts"
import type { FileResult } from "./files.ts"
import type { Identity } from "./identity.ts"

/** One line on what was written where, for people; nothing of what is secret. */
export function lineOf({ id, region }: Identity, credentials: Credentials, files: readonly FileResult[]): string {
  const named = "value" in region ? `region ${region.value} (${region.from})` : "no region"
  const states = [
    ["wrote", "written"],
    ["would write", "would_write"],
    ["unchanged:", "unchanged"],
  ] as const
  const done = states.flatMap(([verb, state]) => {
    const paths = files.filter((file) => file.state === state).map(({ path }) => path)
    return paths.length === 0 ? [] : [`${verb} ${paths.join(", ")}`]
  })
  const leftOut = files.flatMap(({ path, reason }) =>
    reason === undefined ? [] : [`not written: ${path} (${reason})`],
  )
  const source = credentials.content === undefined ? [] : [`credentials from ${credentials.from}`]
  return `${[`cluster id ${id.value} (${id.from}), ${named}`, ...done, ...source, ...leftOut].join("; ")}\n`
}

/** The same for programs. */
export function jsonOf(
  { id, platform, region }: Identity,
  credentials: Credentials,
  files: readonly FileResult[],
): string {
  const found = "value" in region ? region : undefined
  return `${JSON.stringify({
    cluster_id: id.value,
    cluster_id_source: id.from,
    platform: platform ?? null,
    region: found?.value ?? null,
    region_source: found?.from ?? null,
    credentials_source: credentials.content === undefined ? null : credentials.from,
    files,
  })}\n`
}
