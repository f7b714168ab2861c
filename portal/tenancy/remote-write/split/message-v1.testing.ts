import fc from "fast-check"

/** Bytes of legal messages of version 1, in every encoding that protobuf allows. */

export type Bytes = fc.Arbitrary<Buffer>

/** As many bytes as it needs, and `extra` ones that add nothing. */
export function varint(value: bigint, extra: number): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, value)
  do {
    bytes.push(Number(rest & 127n))
    rest >>= 7n
  } while (rest > 0n)
  while (bytes.length < 10 && bytes.length < extra) bytes.push(0)
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)))
}

/** Mostly as senders write it. */
const extra = fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(10) })

export const number = (value: bigint): Bytes => extra.map((bytes) => varint(value, bytes))
export const tag = (field: number, wireType: number): Bytes => number(BigInt(field) * 8n + BigInt(wireType))
export const joined = (...parts: Bytes[]): Bytes => fc.tuple(...parts).map((all) => Buffer.concat(all))

export const ofLength = (field: number, content: Bytes): Bytes =>
  content.chain((bytes) => joined(tag(field, 2), number(BigInt(bytes.length)), fc.constant(bytes)))
export const ofNumber = (field: number): Bytes =>
  joined(
    tag(field, 0),
    fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).chain((value) => number(value)),
  )
export const bytesOf = (length: number): Bytes =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes))
export const ofDouble = (field: number): Bytes => joined(tag(field, 1), bytesOf(8))

const anyBytes: Bytes = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes))
const unknownNumber = fc.oneof(fc.integer({ min: 20, max: 40 }), fc.constant(2 ** 29 - 1))

const unknown: Bytes = fc.letrec<{ field: Buffer; group: Buffer }>((tie) => ({
  field: fc.oneof(
    { depthSize: "small" },
    unknownNumber.chain((field) => ofNumber(field)),
    unknownNumber.chain((field) => ofDouble(field)),
    unknownNumber.chain((field) => joined(tag(field, 5), bytesOf(4))),
    unknownNumber.chain((field) => ofLength(field, anyBytes)),
    tie("group"),
  ),
  group: fc
    .tuple(unknownNumber, fc.array(tie("field"), { maxLength: 2 }))
    .chain(([field, inner]) => joined(tag(field, 3), ...inner.map((bytes) => fc.constant(bytes)), tag(field, 4))),
})).field

/** All parts in any order; those that are not asked for mostly stay away. */
export const message = (...parts: fc.Arbitrary<Buffer[]>[]): Bytes =>
  fc
    .tuple(...parts, fc.array(unknown, { maxLength: 1 }))
    .chain((lists) =>
      fc.tuple(
        fc.boolean(),
        fc.constant(lists.flat()),
        fc.shuffledSubarray(lists.flat(), { minLength: lists.flat().length }),
      ),
    )
    .map(([shuffle, inOrder, shuffled]) => Buffer.concat(shuffle ? shuffled : inOrder))

export const some = (part: Bytes, most: number, least = 0): fc.Arbitrary<Buffer[]> =>
  fc.array(part, { minLength: least, maxLength: most })
/** Once, seldom not at all or twice, of which the last one counts. */
export const once = (part: Bytes): fc.Arbitrary<Buffer[]> =>
  fc.oneof({ weight: 6, arbitrary: some(part, 1, 1) }, { weight: 1, arbitrary: some(part, 2) })

const text = (...texts: string[]): Bytes => fc.constantFrom(...texts).map((value) => Buffer.from(value))
const name: Bytes = fc.oneof(
  { weight: 8, arbitrary: text("__name__", "a", "job", "tenant_id", "team", "cluster", "instance", "") },
  { weight: 1, arbitrary: text("tenant_ie", "tenant_ix", "teas", "é", "n".repeat(127), "n".repeat(200)) },
  { weight: 1, arbitrary: anyBytes },
)
const value: Bytes = fc.oneof(
  { weight: 8, arbitrary: text("red", "blue", "up", "1", "") },
  { weight: 1, arbitrary: text("refused|", "grün", "v".repeat(124), "v".repeat(300), "__proto__") },
  { weight: 1, arbitrary: anyBytes },
)

const label = (field: number): Bytes => ofLength(field, message(once(ofLength(1, name)), once(ofLength(2, value))))
const sample = ofLength(2, message(once(ofDouble(1)), once(ofNumber(2))))
const exemplar = ofLength(3, message(some(label(1), 2), once(ofDouble(2)), once(ofNumber(3))))
const packed = (field: number): Bytes =>
  ofLength(
    field,
    fc
      .array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 3 })
      .chain((values) => joined(...values.map(number))),
  )
const span = (field: number): Bytes => ofLength(field, message(once(ofNumber(1)), once(ofNumber(2))))
/** Of both versions. */
export const histogramContent = message(
  once(fc.oneof(ofNumber(1), ofDouble(2))),
  once(ofDouble(3)),
  once(ofNumber(4)),
  some(span(8), 2),
  some(fc.oneof(ofNumber(12), packed(12)), 2),
  some(fc.oneof(ofDouble(13), ofLength(13, bytesOf(16))), 1),
  some(ofLength(16, bytesOf(8)), 1),
  once(ofNumber(15)),
)
const histogram = ofLength(4, histogramContent)

const plainLabel = (labelName: string, labelValue: string): Bytes => {
  const content = [labelName, labelValue].map((part, index) =>
    Buffer.concat([Buffer.from([8 * (index + 1) + 2]), varint(BigInt(Buffer.byteLength(part)), 0), Buffer.from(part)]),
  )
  const bytes = Buffer.concat(content)
  return fc.constant(Buffer.concat([Buffer.from([10]), varint(BigInt(bytes.length), 0), bytes]))
}
/** As Prometheus writes it. */
const plainSeries = fc
  .record({
    tenant: fc.constantFrom("red", "blue", "green", "refused|", ""),
    team: fc.option(fc.constantFrom("red", "green"), { nil: undefined }),
    cluster: fc.option(fc.constantFrom("a", "b"), { nil: undefined }),
    metric: fc.constantFrom("up", "down", "grün", "v".repeat(150)),
  })
  .chain(({ tenant, team, cluster, metric }) =>
    joined(
      plainLabel("__name__", metric),
      ...(cluster === undefined ? [] : [plainLabel("cluster", cluster)]),
      plainLabel("instance", "i"),
      ...(team === undefined ? [] : [plainLabel("team", team)]),
      plainLabel("tenant_id", tenant),
      some(sample, 2).map((samples) => Buffer.concat(samples)),
    ),
  )
const deviatingSeries = message(some(label(1), 6), some(sample, 2), some(exemplar, 1), some(histogram, 1))

const series = ofLength(1, fc.oneof({ weight: 3, arbitrary: plainSeries }, { weight: 2, arbitrary: deviatingSeries }))

/** Whole messages; those that are concatenated are messages as well. */
export const anyMessageV1: Bytes = message(some(series, 12))
