import { MOST_DECODED_BYTES } from "../../wire/snappy.ts"
import type { Version } from "../message/version.ts"
import { Output } from "../split/output.ts"
import { Rejections } from "../split/rejections.ts"
import { applyV1 } from "./apply-v1.ts"
import { applyV2 } from "./apply-v2.ts"
import { ForwardedLabels } from "./forwarded-labels.ts"
import { SeriesJudge } from "./judge-series.ts"
import { LabelNames } from "./label-names.ts"
import { sizeCheck } from "./pass.ts"
import type { SeriesRules } from "./series-rules.ts"

export interface Applied {
  /** Of the same version, with what is accepted. */
  readonly message: Buffer
  /** What is not. Its series, counts and reasons are besides those that the split finds. */
  readonly rejections: Rejections
}

/** What is kept of a sender from one request to the next; another load of its file has other rules. */
const kept = new WeakMap<SeriesRules, { readonly names: LabelNames; readonly forwarded: ForwardedLabels }>()
const output = new Output()
/** Bytes; a request of 2,000 series has some hundred thousand. */
const KEPT_OUTPUT = 4 * 2 ** 20

/**
 * Holds a sender's rules against a message: sets labels, and leaves out series that are not shared. `most`: bytes that the
 * message may have. Throws a refusal with status 400 where the message is malformed or becomes larger.
 */
export function applyRules(rules: SeriesRules, version: Version, message: Buffer, most = MOST_DECODED_BYTES): Applied {
  let own = kept.get(rules)
  if (own === undefined) {
    own = { names: new LabelNames(rules), forwarded: new ForwardedLabels(rules) }
    kept.set(rules, own)
  }
  const rejections = new Rejections()
  const judge = new SeriesJudge(rules, message.length)
  output.trim(KEPT_OUTPUT)
  ;(version === 1 ? applyV1 : applyV2)(message, { ...own, judge, rejections, checkSize: sizeCheck(most) }, output)
  // the split reads words of four bytes: no pooled memory
  const applied = Buffer.allocUnsafeSlow(output.at)
  output.bytes.copy(applied, 0, 0, output.at)
  return { message: applied, rejections }
}
