/** Bytes of a protobuf message, as senders write them. */
const varint = (value: number): number[] => {
  const bytes = []
  let rest = value
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80)
  return [...bytes, rest]
}
const field = (number: number, content: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([(number << 3) | 2, ...varint(content.length)]), content])

export type LabelSet = readonly (readonly [name: string, value: string])[]

/** A number that follows from another one and looks like chance. */
const mixed = (value: number): number => {
  const first = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d)
  const second = Math.imul(first ^ (first >>> 12), 0x297a2d39)
  return (second ^ (second >>> 15)) >>> 0
}

/**
 * Labels as Kubernetes' targets have them: 12 of a series, of which the next series of the same target has most. One
 * names a tenant. Compressed it is a quarter, as bodies of Prometheus are.
 */
export function* series(count: number, tenants: number): Generator<LabelSet> {
  for (let index = 0; index < count; index++) {
    // series of a few targets take turns, as the shards of a queue leave them
    const target = Math.floor(index / 40) * 8 + (index % 8)
    const metric = METRICS[Math.floor(mixed(index) % METRICS.length)] ?? ""
    const chance = mixed(target)
    yield [
      ["__name__", `container_${metric}`],
      ["cluster", `eu-${target % 3}`],
      ["container", `app-${chance % 40}`],
      ["endpoint", "https"],
      [
        "id",
        `/kubepods/pod${mixed(index + 7)
          .toString(16)
          .padStart(8, "0")}`,
      ],
      ["instance", `10.${chance % 12}.${target % 200}.${chance % 250}:10250`],
      ["job", "kubelet"],
      ["le", String((mixed(index + 3) % 1000) / 100)],
      ["namespace", `team-${chance % 25}`],
      ["node", `node-${target % 50}`],
      ["pod", `service-${chance % 40}-${chance.toString(36).slice(0, 5)}-${mixed(index).toString(36).slice(0, 5)}`],
      ["tenant_id", `tenant-${target % tenants}`],
    ]
  }
}

const METRICS = [
  "cpu_usage_seconds_total",
  "cpu_cfs_throttled_periods_total",
  "fs_reads_bytes_total",
  "fs_writes_bytes_total",
  "memory_working_set_bytes",
  "memory_rss",
  "network_receive_bytes_total",
  "network_transmit_bytes_total",
  "network_receive_packets_dropped_total",
  "start_time_seconds",
]

const MILLISECONDS = 1_790_000_000_000

/** Counters and gauges: some are whole, some are not. */
function sampleOf(index: number, milliseconds: number): Buffer {
  const sample = Buffer.alloc(9)
  sample[0] = 0x09
  sample.writeDoubleLE(index % 2 === 0 ? mixed(index) / 1000 : mixed(index), 1)
  return field(2, Buffer.concat([sample, Buffer.from([0x10, ...varint(milliseconds)])]))
}

/** A message of version 1 with a sample of each. */
export function messageV1(labelSets: Iterable<LabelSet>, milliseconds = MILLISECONDS): Buffer {
  const frames = [...labelSets].map((labels, index) => {
    const parts = labels.map(([name, text]) =>
      field(1, Buffer.concat([field(1, Buffer.from(name)), field(2, Buffer.from(text))])),
    )
    return field(1, Buffer.concat([...parts, sampleOf(index, milliseconds)]))
  })
  return Buffer.concat(frames)
}

/** The same of version 2. Prometheus sends metadata with every series, here as references to a help text for each name. */
export function messageV2(labelSets: Iterable<LabelSet>, milliseconds = MILLISECONDS): Buffer {
  const symbols = new Map([["", 0]])
  const refer = (text: string): readonly number[] => {
    const known = symbols.get(text) ?? symbols.size
    symbols.set(text, known)
    return varint(known)
  }
  const frames = [...labelSets].map((labels, index) => {
    const references = field(1, Buffer.from(labels.flat().flatMap(refer)))
    const help = refer(`Help of ${labels[0]?.[1] ?? ""}, which is not short.`)
    const metadata = field(5, Buffer.from([0x08, 1, 0x18, ...help]))
    return field(5, Buffer.concat([references, sampleOf(index, milliseconds), metadata]))
  })
  return Buffer.concat([...[...symbols.keys()].map((text) => field(4, Buffer.from(text))), ...frames])
}
