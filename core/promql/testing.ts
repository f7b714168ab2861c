import assert from "node:assert/strict"
import { createServer } from "node:http"
import type { TestContext } from "node:test"
import { temporaryFolder } from "../../dev/testing/folder.ts"
import { listen } from "../../dev/testing/listen.ts"
import { startPrometheus } from "../../dev/testing/prometheus.ts"
import { until } from "../../dev/testing/until.ts"
import type { Principal } from "./authorize.ts"
import { parseSelector } from "./parse.ts"
import type { Selector } from "./selector.ts"

export type Series = Readonly<Record<string, string>>

/** Samples with a time of their own stay known where a later scrape fails, as on a machine with much other work. */
function exposition(series: readonly Series[]): string {
  const now = Date.now()
  return series
    .map((labels, id) => {
      const pairs = Object.entries({ ...labels, id: String(id) }).filter(([, value]) => value !== "")
      return `m{${pairs.map(([label, value]) => `${label}="${escape(value)}"`).join(",")}} 1 ${now}\n`
    })
    .join("")
}

/** The text format knows these escapes only. */
function escape(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}

/** Starts a Prometheus that has scraped the series; gives the ids of those that it federates for a selector. */
export async function federating(
  t: TestContext,
  folder: string,
  series: readonly Series[],
): Promise<(selector: Selector) => Promise<ReadonlySet<number>>> {
  const target = createServer((_, response) =>
    response.setHeader("content-type", "text/plain; version=0.0.4").end(exposition(series)),
  )
  const targets = [`127.0.0.1:${await listen(t, target)}`]
  const configuration = { job_name: "m", scrape_interval: "1s", static_configs: [{ targets }] }
  const file = await temporaryFolder(t).write("prometheus.yml", JSON.stringify({ scrape_configs: [configuration] }))
  const prometheus = await startPrometheus(folder, file)
  t.after(() => prometheus.stop())

  const federate = async (selector: Selector): Promise<ReadonlySet<number>> => {
    const matchers = selector.map(({ label, op, value }) => `${label}${op}${JSON.stringify(value)}`)
    const query = new URLSearchParams({ "match[]": `{__name__="m",${matchers.join(",")}}` })
    const response = await fetch(`${prometheus.url}/federate?${query.toString()}`)
    const body = await response.text()
    assert.equal(response.status, 200, `${query.get("match[]")}: ${body}`)
    return new Set([...body.matchAll(/[{,]id="(\d+)"/g)].map(([, id]) => Number(id)))
  }
  await until("all series", async () => ((await federate([])).size === series.length ? true : undefined))
  return federate
}

/** A client that may read this. */
export function principalOf(name: string, match: readonly string[] = [], enforce = false): Principal {
  const shared = match.map((text, index) => ({ selector: parseSelector(text), where: `match[${index}]` }))
  return { name, shared, enforce }
}
