import type { StreamResponse } from "#core/http/client.ts"
import type { Deadline } from "#core/retry/deadline.ts"
import type { OpaClient } from "./client.ts"
import { countJson } from "./count-json.ts"
import { MethodUnavailable, statusFailure } from "./failure.ts"
import { type Counted, urlPath } from "./paths.ts"
import type { Counts, DigestKind, PathCount } from "./reading.ts"
import { countQuery, ruleName, type Withheld } from "./rego.ts"
import { parsePackageResponse, parseQueryResponse, uncountablePaths } from "./response.ts"
import type { OpaTarget } from "./target.ts"

/** Bytes of a response with counts; hundreds of paths have room. */
const RESPONSE_LIMIT = 1_048_576

export interface ReadContext {
  readonly client: OpaClient
  readonly paths: readonly Counted[]
}

/** What could not be counted is added to `withheld`, and left out the next time. */
export async function readByQuery(
  { client, paths }: ReadContext,
  target: OpaTarget,
  digest: DigestKind | undefined,
  withheld: Withheld,
  deadline: Deadline,
): Promise<Counts> {
  for (;;) {
    const body = JSON.stringify({ query: countQuery(paths, digest, withheld) })
    const request = { path: "/v1/query", search: "?metrics=true", body }
    const { status, body: text } = await client.fetchText(target, request, RESPONSE_LIMIT, deadline)
    if (status === 200) return parseQueryResponse(text, paths)
    const { counts } = withheld
    const rejected = (status === 400 && uncountablePaths(text, paths)) || []
    const helps = rejected.map((name) => withhold(name, digest, withheld)).includes(true)
    if (!helps || paths.every(({ name }) => counts.has(name))) throw statusFailure(status)
  }
}

/** First the versions of a path are done without, then its digest, then its count. False: there is nothing left of it. */
function withhold(name: string, digest: DigestKind | undefined, { counts, digests, versions }: Withheld): boolean {
  const steps = [
    ...(digest === "resourceVersion" ? [versions] : []),
    ...(digest === undefined ? [] : [digests]),
    counts,
  ]
  const next = steps.find((names) => !names.has(name))
  next?.add(name)
  return next !== undefined
}

export async function readByPackage(
  { client, paths }: ReadContext,
  target: OpaTarget,
  digest: DigestKind | undefined,
  packageSegments: readonly string[],
  deadline: Deadline,
): Promise<Counts> {
  const request = { path: `/v1/data${urlPath([...packageSegments, ruleName(digest)])}`, search: "?metrics=true" }
  const { status, body } = await client.fetchText(target, request, RESPONSE_LIMIT, deadline)
  if (status !== 200) throw statusFailure(status)
  const counts = parsePackageResponse(body, paths)
  if (counts !== undefined) return counts
  throw new MethodUnavailable(
    "unexpected_response",
    `it has no package ${packageSegments.join(".")} for these paths: load what --print-package prints`,
  )
}

/**
 * Reads every document, one after the other, and counts while it arrives. As long as a response is not read to its end OPA
 * accepts no write, and its decisions wait with it: the counting keeps up with the network, and `deadline` ends it.
 */
export async function readDocuments(
  { client, paths }: ReadContext,
  target: OpaTarget,
  limit: number,
  deadline: Deadline,
): Promise<Counts> {
  const pathCounts: PathCount[] = []
  for (const { segments, namespaced } of paths) {
    const request = { path: `/v1/data${urlPath(segments)}` }
    const pathCount = await client.fetchStream(target, request, limit, deadline, countDocument)
    pathCounts.push(pathCount.kind === "counted" && !namespaced ? { ...pathCount, members: undefined } : pathCount)
  }
  return { pathCounts, opaSeconds: undefined }
}

async function countDocument({ status, body }: StreamResponse): Promise<PathCount> {
  if (status !== 200) throw statusFailure(status)
  const counter = countJson()
  for await (const chunk of body) counter.add(chunk)
  return counter.end()
}
