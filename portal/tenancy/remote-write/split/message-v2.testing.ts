import fc from "fast-check"
import {
  type Bytes,
  bytesOf,
  histogramContent,
  joined,
  message,
  number,
  ofDouble,
  ofLength,
  ofNumber,
  once,
  some,
  tag,
  varint,
} from "./message-v1.testing.ts"

/** Bytes of legal messages of version 2, in every encoding that protobuf allows. */

const TEXTS = [
  ...["__name__", "tenant_id", "team", "cluster", "job", "instance", "trace_id", "é", "n".repeat(130)],
  ...["red", "blue", "green", "refused|", "up", "down", "grün", "v".repeat(300), "__proto__", "help of it", "s"],
]
const NAMES = TEXTS.slice(0, 9)
const VALUES = ["", ...TEXTS.slice(9)]

const UNUSED = "unused-"

/** Symbols as a sender may have them: the empty one first, mostly, and some twice. */
const symbolTable: fc.Arbitrary<readonly string[]> = fc
  .record({
    empty: fc.oneof({ weight: 9, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    order: fc.shuffledSubarray(TEXTS, { minLength: TEXTS.length }),
    again: fc.array(fc.constantFrom("", ...TEXTS), { maxLength: 6 }),
    // with which references take two and three bytes
    unused: fc.oneof(
      { weight: 60, arbitrary: fc.constant(0) },
      { weight: 20, arbitrary: fc.constant(120) },
      { weight: 1, arbitrary: fc.constant(16_390) },
    ),
  })
  .map(({ empty, order, again, unused }) => [
    ...(empty ? [""] : []),
    ...Array.from({ length: unused }, (_, index) => `${UNUSED}${index}`),
    ...order,
    ...again,
  ])

/** One that has the text, or seldom any number. */
function referenceTo(text: string, symbols: readonly string[]): fc.Arbitrary<number> {
  const all = symbols.flatMap((symbol, index) => (symbol === text ? [index] : []))
  const sound = all.length === 0 ? fc.nat(symbols.length - 1) : fc.constantFrom(...all)
  return fc.oneof(
    { weight: 400, arbitrary: sound },
    { weight: 1, arbitrary: fc.constantFrom(symbols.length, 2 ** 31, 2 ** 32 - 1) },
  )
}

/** Packed, single, or in several pieces of both. */
const encoded = (field: number, references: readonly number[]): fc.Arbitrary<Buffer[]> => {
  const piece = (part: readonly number[], packed: boolean): Bytes =>
    packed
      ? ofLength(field, joined(...part.map((value) => number(BigInt(value)))))
      : joined(...part.map((value) => joined(tag(field, 0), number(BigInt(value)))))
  return fc
    .record({
      cuts: fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(fc.nat(references.length), { maxLength: 2 }) },
      ),
      packed: fc.tuple(fc.boolean(), fc.boolean(), fc.boolean()),
    })
    .chain(({ cuts, packed }) => {
      const [first = 0, second = first] = cuts.toSorted((a, b) => a - b)
      const pieces = [references.slice(0, first), references.slice(first, second), references.slice(second)]
      const bytes = pieces.map((part, index) => piece(part, cuts.length === 0 || packed[index] === true))
      return joined(...bytes).map((all) => [all])
    })
}

const pairs = (names: readonly string[], most: number): fc.Arbitrary<readonly string[]> =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), fc.constantFrom(...VALUES)), {
      maxLength: most,
      selector: ([name]) => name,
    })
    .map((labels) => labels.flat())

const labelTexts: fc.Arbitrary<readonly string[]> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom("up", "down"),
        fc.shuffledSubarray(["red", "blue"], { minLength: 0, maxLength: 1 }),
        pairs(NAMES.slice(2), 3),
      )
      .map(([metric, tenant, others]) => [
        ...["__name__", metric],
        ...tenant.flatMap((id) => ["tenant_id", id]),
        ...others,
      ]),
  },
  { weight: 2, arbitrary: pairs(NAMES, 5) },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(...NAMES, ...VALUES), { maxLength: 6 }) },
)

const references = (field: number, texts: readonly string[], symbols: readonly string[]): fc.Arbitrary<Buffer[]> =>
  fc.tuple(...texts.map((text) => referenceTo(text, symbols))).chain((numbers) => encoded(field, numbers))

const sample = ofLength(2, message(once(ofDouble(1)), once(ofNumber(2)), some(ofNumber(3), 1)))
const histogram = ofLength(
  3,
  message(
    fc.constant([Buffer.alloc(0)]),
    histogramContent.map((bytes) => [bytes]),
    some(ofNumber(17), 1),
  ),
)

function series(symbols: readonly string[]): Bytes {
  const reference = (field: number): Bytes =>
    fc
      .constantFrom(...VALUES)
      .chain((text) => referenceTo(text, symbols))
      .chain((value) => joined(tag(field, 0), number(BigInt(value))))
  const exemplar = ofLength(
    4,
    message(
      pairs(["trace_id", "é", "job"], 2).chain((texts) => references(1, texts, symbols)),
      once(ofDouble(2)),
      once(ofNumber(3)),
    ),
  )
  const metadata = ofLength(
    5,
    message(
      some(
        joined(
          tag(1, 0),
          fc.nat(7).chain((type) => number(BigInt(type))),
        ),
        1,
      ),
      some(reference(3), 1),
      some(reference(4), 1),
    ),
  )
  const content = fc
    .record({
      texts: labelTexts,
      samples: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 2, arbitrary: fc.nat(2) }),
      exemplars: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(2) }),
    })
    .chain(({ texts, samples, exemplars }) =>
      message(
        references(1, texts, symbols),
        some(sample, samples, samples),
        some(histogram, samples === 0 ? 0 : 1),
        some(exemplar, exemplars, exemplars),
        fc.oneof({ weight: 3, arbitrary: some(metadata, 1) }, { weight: 1, arbitrary: some(metadata, 2, 2) }),
        some(ofNumber(6), samples === 0 ? 0 : 1),
      ),
    )
  return ofLength(5, fc.oneof({ weight: 1, arbitrary: content }, { weight: 1, arbitrary: plainSeries(symbols) }))
}

/** As Prometheus writes it. */
function plainSeries(symbols: readonly string[]): Bytes {
  const refer = (text: string): Buffer => varint(BigInt(Math.max(0, symbols.indexOf(text))), 0)
  return fc
    .record({
      metric: fc.constantFrom("up", "down"),
      tenant: fc.constantFrom("red", "blue", "green", ""),
      others: pairs(NAMES.slice(2), 4),
      samples: fc.array(fc.tuple(bytesOf(8), fc.integer({ min: 0, max: 2 ** 47 }), fc.boolean()), {
        minLength: 1,
        maxLength: 2,
      }),
      metadata: fc.option(fc.tuple(fc.nat(7), fc.constantFrom(...VALUES), fc.constantFrom(...VALUES)), {
        nil: undefined,
      }),
    })
    .map(({ metric, tenant, others, samples, metadata }) => {
      const labels = ["__name__", metric, ...others, "tenant_id", tenant].map(refer)
      const time = (tagByte: number, value: number) => [Buffer.from([tagByte]), varint(BigInt(value), 0)]
      const parts = samples.map(([value, at, started]) =>
        framed(
          0x12,
          Buffer.concat([Buffer.from([0x09]), value, ...time(0x10, at), ...(started ? time(0x18, at - 1) : [])]),
        ),
      )
      if (metadata !== undefined) {
        const [type, help, unit] = metadata
        parts.push(
          framed(
            0x2a,
            Buffer.concat([...time(0x08, type), Buffer.from([0x18]), refer(help), Buffer.from([0x20]), refer(unit)]),
          ),
        )
      }
      return Buffer.concat([framed(0x0a, Buffer.concat(labels)), ...parts])
    })
}

const framed = (tagByte: number, content: Buffer): Buffer =>
  Buffer.concat([Buffer.from([tagByte]), varint(BigInt(content.length), 0), content])

/** Symbols before the series, behind them, or between them. */
export const anyMessageV2: Bytes = symbolTable.chain((symbols) =>
  fc
    .record({
      symbols: fc.tuple(
        ...symbols.map((text) => {
          const bytes = Buffer.from(text)
          return text.startsWith(UNUSED) ? fc.constant(framed(0x22, bytes)) : ofLength(4, fc.constant(bytes))
        }),
      ),
      series: fc.array(series(symbols), { maxLength: 8 }),
      place: fc.constantFrom("before", "behind", "between"),
      at: fc.infiniteStream(fc.nat(symbols.length)),
    })
    .map(({ symbols: first, series: second, place, at }) => {
      if (place === "before") return Buffer.concat([...first, ...second])
      if (place === "behind") return Buffer.concat([...second, ...first])
      const places = second.map(() => at.next().value as number)
      return Buffer.concat(
        [...first, Buffer.alloc(0)].flatMap((symbol, index) => [
          ...second.filter((_, position) => places[position] === index),
          symbol,
        ]),
      )
    }),
)
