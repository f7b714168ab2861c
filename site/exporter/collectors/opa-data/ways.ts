import type { Deadline } from "#core/retry/deadline.ts"
import { uncountablePaths, type Counts, parsePackageResponse, parseQueryResponse } from "./response.ts"
import type { Client } from "./client.ts"
import { type ReadFailure, statusFailure, WayClosed } from "./failure.ts"
import { type Counted, urlPath } from "./paths.ts"
import type { DigestKind } from "./reading.ts"
import { countQuery, ruleName, type Withheld } from "./rego.ts"
import type { Target } from "./target.ts"

/** Bytes of a response with counts; hundreds of paths have room. */
const RESPONSE_LIMIT = 1_048_576

export interface Sources {
  readonly client: Client
  readonly paths: readonly Counted[]
}

/** What could not be counted is added to `withheld`, and left out the next time. */
export async function readByQuery(
  { client, paths }: Sources,
  target: Target,
  digest: DigestKind | undefined,
  withheld: Withheld,
  deadline: Deadline,
): Promise<Counts> {
  for (;;) {
    const body = JSON.stringify({ query: countQuery(paths, digest, withheld) })
    const request = { method: "POST" as const, path: "/v1/query", search: "?metrics=true", body }
    const { status, body: text } = await client.fetchText(target, request, RESPONSE_LIMIT, deadline)
    if (status === 200) return parseQueryResponse(text, paths)
    if (status !== 400) throw closedOr(status)
    const complained = uncountablePaths(text, paths)
    if (complained === undefined) throw closedOr(status)
    const before = withheld.counts.size + withheld.digests.size
    withhold(complained, digest, withheld)
    const helps = withheld.counts.size + withheld.digests.size > before
    if (!helps || paths.every(({ name }) => withheld.counts.has(name))) throw closedOr(status)
  }
}

/** First the digest of a path is given up, then the path. */
function withhold(names: readonly string[], digest: DigestKind | undefined, { digests, counts }: Withheld): void {
  for (const name of names) (digest !== undefined && !digests.has(name) ? digests : counts).add(name)
}

export async function readByPackage(
  { client, paths }: Sources,
  target: Target,
  digest: DigestKind | undefined,
  packageSegments: readonly string[],
  deadline: Deadline,
): Promise<Counts> {
  const path = `/v1/data${urlPath([...packageSegments, ruleName(digest)])}`
  const request = { method: "GET" as const, path, search: "?metrics=true" }
  const { status, body } = await client.fetchText(target, request, RESPONSE_LIMIT, deadline)
  if (status !== 200) throw closedOr(status)
  const counts = parsePackageResponse(body, paths)
  if (counts !== undefined) return counts
  throw new WayClosed(
    "unexpected_response",
    `it has no package ${packageSegments.join(".")} for these paths: load what --print-package prints`,
  )
}

/** Refusals, and addresses that don't exist or don't take this, close a way; all else is the OPA's own trouble. */
export function closedOr(status: number): ReadFailure {
  const failure = statusFailure(status)
  return [400, 401, 403, 404, 405].includes(status) ? new WayClosed(failure.reason, failure.message) : failure
}
