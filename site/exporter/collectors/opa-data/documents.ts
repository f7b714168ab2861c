import { createGunzip } from "node:zlib"
import type { Dispatcher } from "undici"
import type { Counts } from "./answer.ts"
import { countJson } from "./count-json.ts"
import { ReadFailure } from "./failure.ts"
import { urlPath } from "./paths.ts"
import type { Place } from "./reading.ts"
import type { Target } from "./target.ts"
import { closedOr, type Sources } from "./ways.ts"

/**
 * Reads every document, one after the other, and counts while it arrives. As long as an answer is not read to its end OPA
 * accepts no write, and its decisions wait with it: the counting keeps up with the network, and `signal` ends it.
 */
export async function readDocuments(
  { client, paths }: Sources,
  target: Target,
  limit: number,
  signal: AbortSignal,
): Promise<Counts> {
  const places: Place[] = []
  for (const { segments, namespaced } of paths) {
    const question = {
      method: "GET" as const,
      path: `/v1/data${urlPath(segments)}`,
      headers: { "accept-encoding": "gzip" },
    }
    const place = await client.stream(target, question, signal, (answer) => countDocument(answer, limit))
    places.push(place.kind === "counted" && !namespaced ? { ...place, members: undefined } : place)
  }
  return { places, opaSeconds: undefined }
}

async function countDocument(answer: Dispatcher.ResponseData, limit: number): Promise<Place> {
  if (answer.statusCode !== 200) throw closedOr(answer.statusCode)
  const counter = countJson()
  let bytes = 0
  for await (const chunk of plain(answer)) {
    bytes += chunk.length
    if (bytes > limit) throw new ReadFailure("size", `its document is larger than ${limit} bytes`)
    counter.add(chunk)
  }
  return counter.end()
}

function plain({ body, headers }: Dispatcher.ResponseData): AsyncIterable<Buffer> {
  const encoding = headers["content-encoding"] ?? "identity"
  if (encoding === "identity") return body as AsyncIterable<Buffer>
  if (encoding !== "gzip") throw new ReadFailure("answer", "its answer has an encoding that was not asked for")
  const gunzip = createGunzip({ chunkSize: 65_536 })
  gunzip.on("error", () => undefined) // whoever reads it gets the error too
  body.on("error", (error) => gunzip.destroy(error))
  return body.pipe(gunzip)
}
