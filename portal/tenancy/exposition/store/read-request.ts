import { encodeElements, preamble } from "../../wire/snappy.ts"
import type { MatchOp, Selector } from "#core/promql/selector.ts"

/** Of `prometheus.LabelMatcher`. */
const OPERATORS: readonly MatchOp[] = ["=", "!=", "=~", "!~"]

/**
 * A remote read (https://prometheus.io/docs/specs/prw/remote_read_spec/) of what each selector selects, from `start` to `end`
 * in milliseconds, both included. The response has a result for each, in their order.
 */
export function readRequest(selectors: readonly Selector[], start: number, end: number): Buffer {
  const queries = selectors.map((selector) =>
    Buffer.concat([
      numberField(1, start),
      numberField(2, end),
      ...selector.map(({ label, op, value }) =>
        lengthField(
          3,
          Buffer.concat([
            numberField(1, OPERATORS.indexOf(op)),
            lengthField(2, Buffer.from(label)),
            lengthField(3, Buffer.from(value)),
          ]),
        ),
      ),
    ]),
  )
  const message = Buffer.concat(queries.map((query) => lengthField(1, query)))
  return Buffer.concat([preamble(message.length), encodeElements(message)])
}

const numberField = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)])
const lengthField = (field: number, content: Buffer): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(content.length), content])

/** A length of snappy is written alike. */
const varint = preamble
