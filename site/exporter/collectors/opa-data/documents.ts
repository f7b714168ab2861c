import type { StreamResponse } from "#core/http/stream.ts"
import type { Deadline } from "#core/retry/deadline.ts"
import type { Counts } from "./response.ts"
import { countJson } from "./count-json.ts"
import { urlPath } from "./paths.ts"
import type { Place } from "./reading.ts"
import type { Target } from "./target.ts"
import { closedOr, type Sources } from "./ways.ts"

/**
 * Reads every document, one after the other, and counts while it arrives. As long as a response is not read to its end OPA
 * accepts no write, and its decisions wait with it: the counting keeps up with the network, and `deadline` ends it.
 */
export async function readDocuments(
  { client, paths }: Sources,
  target: Target,
  limit: number,
  deadline: Deadline,
): Promise<Counts> {
  const places: Place[] = []
  for (const { segments, namespaced } of paths) {
    const request = { method: "GET" as const, path: `/v1/data${urlPath(segments)}` }
    const place = await client.fetchStream(target, request, limit, deadline, countDocument)
    places.push(place.kind === "counted" && !namespaced ? { ...place, members: undefined } : place)
  }
  return { places, opaSeconds: undefined }
}

async function countDocument({ status, body }: StreamResponse): Promise<Place> {
  if (status !== 200) throw closedOr(status)
  const counter = countJson()
  for await (const chunk of body) counter.add(chunk)
  return counter.end()
}
