import { compressSync } from "snappy"
import { decodeBlock } from "../../../portal/tenancy/wire/snappy.ts"
import type { Routing } from "../../../portal/tenancy/remote-write/routing/routing.ts"
import type { Batch, Split } from "../../../portal/tenancy/remote-write/split/slice.ts"
import { splitV1 } from "../../../portal/tenancy/remote-write/split/split-v1.ts"
import { splitV2 } from "../../../portal/tenancy/remote-write/split/split-v2.ts"
import type { TenantId } from "../../../portal/tenancy/tenants/tenant.ts"
import { messageV1, messageV2, series } from "./body.ts"

const SERIES = 2000
const TENANTS = 20

const routing = (strip: number | undefined): Routing => ({
  tenantLabels: ["tenant_id"],
  groupLabels: [],
  mostTenants: 1000,
  route: ([value]) => ({
    destinations: [{ tenant: (value ?? "0") as TenantId, strip }],
    byDefault: value === undefined,
  }),
})
const [stripping, keeping] = [routing(0), routing(undefined)]

/** Milliseconds of one call: a fifth of them was faster. Slower ones are those that were interrupted on a busy machine. */
function measure(action: () => void): number {
  const calls: number[] = []
  for (let call = 0; call < 1000; call++) {
    const start = performance.now()
    action()
    calls.push(performance.now() - start)
  }
  return calls.toSorted((one, other) => one - other)[200] ?? 0
}

const print = (what: string, milliseconds: number): void =>
  void process.stdout.write(
    `${what.padEnd(34)} ${milliseconds.toFixed(3).padStart(8)} ms ${((SERIES / milliseconds) * 1000).toFixed(0).padStart(10)} series/s\n`,
  )

// past the minute in which version 1 notes the names of series for metadata
const NOW = 1e9

const versions = [
  {
    version: 1,
    message: messageV1(series(SERIES, TENANTS)),
    split: (message: Buffer, by: Routing) => splitV1(message, by, { now: NOW }),
  },
  { version: 2, message: messageV2(series(SERIES, TENANTS)), split: splitV2 },
] as const

for (const { version, message, split } of versions) {
  const block = compressSync(message)
  if (version === 1) for (const by of [stripping, keeping]) splitV1(message, by, { now: 0 })
  process.stdout.write(
    `version ${version}, ${SERIES} series of 12 labels, ${TENANTS} tenants: ${message.length} bytes, ${block.length} compressed\n`,
  )
  let sent = 0
  const encodeAll = ({ slices }: Split): void => {
    sent = 0
    for (const slice of slices) {
      const batch: Batch = { version, symbols: 0, decodedBytes: 0, chunks: [] }
      slice.appendTo(batch)
      sent += batch.chunks.reduce((bytes, chunk) => bytes + chunk.length, 0)
    }
  }
  const actions: Readonly<Record<string, () => void>> = {
    decode: () => decodeBlock(block),
    "split, label stripped": () => split(message, stripping),
    "split, label kept": () => split(message, keeping),
    "split and encode, label stripped": () => encodeAll(split(message, stripping)),
    "split and encode, label kept": () => encodeAll(split(message, keeping)),
    "all, label stripped": () => encodeAll(split(decodeBlock(block), stripping)),
  }
  for (const [what, action] of Object.entries(actions)) print(what, measure(action))
  process.stdout.write(`${sent} bytes sent\n`)
}
