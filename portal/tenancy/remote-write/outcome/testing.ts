import type { Outcome } from "../forward/outcome.ts"
import { type Counts, NO_COUNTS } from "../message/counts.ts"
import type { Version } from "../message/version.ts"
import type { TenantId } from "../../tenants/tenant.ts"
import { Rejections } from "../split/rejections.ts"
import type { Slice, Split } from "../split/slice.ts"
import { judge, type Part } from "./verdict.ts"

export const samples = (count: number): Counts => ({ ...NO_COUNTS, samples: count })

export function sliceOf(tenant: string, changes: Partial<Slice> = {}): Slice {
  const { series = 5 } = changes
  return {
    version: 2,
    tenant: tenant as TenantId,
    group: "",
    series,
    metadata: 0,
    counts: samples(series),
    bytes: 100,
    appendTo: () => undefined,
    ...changes,
  }
}

/** `200` of a slice that was stored, or what failed. */
export type Answer = number | Partial<Outcome & { readonly kind: "failed" }>

export function outcomeOf(answer: Answer, { counts }: Slice): Outcome {
  const failed = typeof answer === "number" ? { status: answer } : answer
  const { status = 0 } = failed
  if (typeof answer === "number" && status >= 200 && status < 300) return { kind: "accepted", status, written: counts }
  return { kind: "failed", status, written: NO_COUNTS, reason: `words of ${status}`, ...failed }
}

/** Slices of tenants `t0`, `t1`, … with five series each, and what became of them. */
export function partsOf(answers: readonly Answer[], version: Version = 2): readonly Part[] {
  return answers.map((answer, index) => {
    const slice = sliceOf(`t${index}`, { version })
    return judge(slice, outcomeOf(answer, slice), undefined, 0, 600_000)
  })
}

/** Of a request that has nothing but these slices. */
export function splitOf(parts: readonly Part["slice"][], changes: Partial<Split> = {}): Split {
  const slices = parts.map((slice) => sliceOf(slice.tenant, slice))
  const sum = (kind: keyof Counts): number => slices.reduce((all, { counts }) => all + counts[kind], 0)
  const received = { samples: sum("samples"), histograms: sum("histograms"), exemplars: sum("exemplars") }
  return {
    received,
    slices,
    rejected: [],
    rejectedSeries: 0,
    rejectedKinds: new Rejections().kinds,
    rejectedCounts: NO_COUNTS,
    seriesByDefault: 0,
    ignored: { series: 0, reasons: [] },
    labels: 0,
    unclaimedMetadata: 0,
    ...changes,
  }
}
