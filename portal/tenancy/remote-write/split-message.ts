import type { Admitted } from "./admit.ts"
import type { Version } from "./message/version.ts"
import type { Routing } from "./routing/routing.ts"
import { applyRules } from "./senders/apply.ts"
import { routingFor } from "./senders/sender-routing.ts"
import { REJECTION_KINDS, type RejectionKinds, type Rejections } from "./split/rejections.ts"
import type { Split } from "./split/slice.ts"
import { splitV1 } from "./split/split-v1.ts"
import { splitV2 } from "./split/split-v2.ts"

/**
 * By the rules of the sender and the routing. `most`: bytes that a message may have with the sender's labels. Throws a
 * refusal with status 400 where it is malformed as a whole.
 */
export function splitMessage(
  message: Buffer,
  version: Version,
  { sender }: Pick<Admitted, "sender">,
  routing: Routing,
  most?: number,
): Split {
  // metadata of version 1 has no labels to set, and goes where the series go that have them
  const labels = sender?.rules?.labels
  const split = (each: Buffer, by: Routing): Split =>
    version === 1 ? splitV1(each, by, { labels }) : splitV2(each, by)
  if (sender === undefined) return split(message, routing)
  const own = routingFor(routing, sender)
  if (sender.rules === undefined) return split(message, own)
  const { message: accepted, rejections } = applyRules(sender.rules, version, message, most)
  return withRejections(split(accepted, own), rejections)
}

/** What the sender's rules set aside was received as well. */
function withRejections(split: Split, rejections: Rejections): Split {
  const { series, counts } = rejections
  if (series === 0) return split
  const sum = (one: Split["received"]) => ({
    samples: one.samples + counts.samples,
    histograms: one.histograms + counts.histograms,
    exemplars: one.exemplars + counts.exemplars,
  })
  return {
    ...split,
    received: sum(split.received),
    rejected: [...rejections.lines(), ...split.rejected],
    rejectedSeries: split.rejectedSeries + series,
    rejectedKinds: sumOf(split.rejectedKinds, rejections.kinds),
    rejectedCounts: sum(split.rejectedCounts),
  }
}

function sumOf(one: RejectionKinds, other: RejectionKinds): RejectionKinds {
  const sum = { ...one }
  for (const kind of REJECTION_KINDS) sum[kind] += other[kind]
  return sum
}
