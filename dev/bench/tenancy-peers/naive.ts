import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import protobuf from "protobufjs"
import { compressSync, uncompressSync } from "snappy"
import { Agent, request } from "undici"

// What is written in an afternoon: decode with a library, group by the label, encode, POST for each tenant.

const { root } = protobuf.parse(`
syntax = "proto3";
message Label { string name = 1; string value = 2; }
message Sample { double value = 1; int64 timestamp = 2; }
message Series { repeated Label labels = 1; repeated Sample samples = 2; }
message V1 { repeated Series timeseries = 1; }
message Metadata { int32 type = 1; uint32 help_ref = 3; uint32 unit_ref = 4; }
message SeriesV2 { repeated uint32 labels_refs = 1; repeated Sample samples = 2; Metadata metadata = 5; }
message V2 { repeated string symbols = 4; repeated SeriesV2 timeseries = 5; }
`)
const [v1, v2] = [root.lookupType("V1"), root.lookupType("V2")]

interface Series {
  readonly labels: { readonly name: string; readonly value: string }[]
}
interface SeriesV2 {
  readonly labelsRefs: readonly number[]
  readonly samples: readonly unknown[]
  readonly metadata?: { readonly type: number; readonly helpRef: number; readonly unitRef: number }
}

const LABEL = "tenant_id"

function splitV1(message: Buffer): Map<string, Uint8Array> {
  const { timeseries } = v1.decode(message) as unknown as { readonly timeseries: readonly Series[] }
  const tenants = Map.groupBy(timeseries, ({ labels }) => labels.find(({ name }) => name === LABEL)?.value ?? "")
  return new Map(
    [...tenants].map(([tenant, list]) => {
      const own = list.map((each) => ({ ...each, labels: each.labels.filter(({ name }) => name !== LABEL) }))
      return [tenant, v1.encode({ timeseries: own }).finish()]
    }),
  )
}

function splitV2(message: Buffer): Map<string, Uint8Array> {
  const { symbols, timeseries } = v2.decode(message) as unknown as {
    readonly symbols: readonly string[]
    readonly timeseries: readonly SeriesV2[]
  }
  const tenants = new Map<string, { symbols: Map<string, number>; timeseries: object[] }>()
  for (const { labelsRefs, samples, metadata } of timeseries) {
    const texts = labelsRefs.map((reference) => symbols[reference] ?? "")
    const at = texts.findIndex((text, index) => index % 2 === 0 && text === LABEL)
    const tenant = texts[at + 1] ?? ""
    const own = tenants.get(tenant) ?? { symbols: new Map([["", 0]]), timeseries: [] }
    tenants.set(tenant, own)
    const refer = (text: string): number => {
      const known = own.symbols.get(text) ?? own.symbols.size
      own.symbols.set(text, known)
      return known
    }
    own.timeseries.push({
      labelsRefs: texts.toSpliced(at, 2).map(refer),
      samples,
      metadata: metadata && {
        type: metadata.type,
        helpRef: refer(symbols[metadata.helpRef] ?? ""),
        unitRef: refer(symbols[metadata.unitRef] ?? ""),
      },
    })
  }
  return new Map(
    [...tenants].map(([tenant, own]) => [
      tenant,
      v2.encode({ symbols: [...own.symbols.keys()], timeseries: own.timeseries }).finish(),
    ]),
  )
}

const [upstream = ""] = process.argv.slice(2)
const dispatcher = new Agent({ pipelining: 1 })

const server = createServer((incoming, outgoing) => {
  const handle = async (): Promise<void> => {
    const type = incoming.headers["content-type"] ?? ""
    const isV2 = type.includes("v2.Request")
    const message = uncompressSync(await buffer(incoming)) as Buffer
    const bodies = isV2 ? splitV2(message) : splitV1(message)
    const statuses = await Promise.all(
      [...bodies].map(async ([tenant, body]) => {
        const headers = {
          "content-type": type,
          "content-encoding": "snappy",
          "x-prometheus-remote-write-version": isV2 ? "2.0.0" : "0.1.0",
          "x-scope-orgid": tenant,
        }
        const response = await request(upstream, {
          method: "POST",
          headers,
          body: compressSync(Buffer.from(body)),
          dispatcher,
        })
        await response.body.dump()
        return response.statusCode
      }),
    )
    outgoing.writeHead(Math.max(...statuses), { "content-length": 0 }).end()
  }
  handle().catch((error: unknown) => outgoing.writeHead(500).end(String(error)))
}).listen(0, "127.0.0.1", () => process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`))
