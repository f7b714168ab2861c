import { createServer } from "node:http"
import type { TestContext } from "node:test"
import { listen } from "../../dev/testing/listen.ts"

/** What a site responds with: a whole exposition, or a status. */
export type Response = string | number

/** Sites below the paths of one server: `URL/a` is the site a. */
export interface FakeSites {
  readonly url: string
  /** By their names; what is not there delivers one series. */
  readonly responses: Map<string, Response>
  /** Times of requests with a token, by name, in milliseconds. */
  readonly scrapes: Map<string, number[]>
}

/** One series with a sample that is so many seconds old. */
export const sample = (seconds = 0, name = "project_vcpu_usage"): string =>
  `${name}{project_id="1"} 5 ${Date.now() - seconds * 1000}\n`

export async function fakeSites(t: TestContext): Promise<FakeSites> {
  const responses = new Map<string, Response>()
  const scrapes = new Map<string, number[]>()
  const server = createServer((request, response) => {
    const [, name = ""] = /^\/([^/]+)\/federate/.exec(request.url ?? "") ?? []
    // the probe's requests are not scrapes
    if (request.headers["x-prometheus-scrape-timeout-seconds"] !== undefined)
      scrapes.set(name, [...(scrapes.get(name) ?? []), Date.now()])
    const found = responses.get(name) ?? sample()
    if (typeof found === "number") response.writeHead(found).end()
    else response.setHeader("content-type", "text/plain; version=0.0.4").end(found)
  })
  return { url: `http://127.0.0.1:${await listen(t, server)}`, responses, scrapes }
}
