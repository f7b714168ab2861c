import { messageTooLarge } from "../../wire/errors.ts"
import type { Output } from "../split/output.ts"
import type { Rejections } from "../split/rejections.ts"
import type { ForwardedLabels } from "./forwarded-labels.ts"
import type { SeriesJudge } from "./judge-series.ts"
import type { LabelNames } from "./label-names.ts"

/** What one pass over a message goes by. */
export interface Pass {
  readonly names: LabelNames
  readonly judge: SeriesJudge
  readonly forwarded: ForwardedLabels
  readonly rejections: Rejections
  /** Throws a refusal with status 400 where the labels that are set make the message larger than one may be. */
  checkSize(out: Output): void
}

/** `most`: bytes of a message. */
export const sizeCheck =
  (most: number): Pass["checkSize"] =>
  ({ at }) => {
    if (at > most) throw messageTooLarge({ bytes: at, most })
  }
