import { Document, isMap, isSeq, visit } from "yaml"
import type { Matcher, Selector } from "#core/promql/selector.ts"
import { literally } from "./literally.ts"

/** A rule of write_relabel_configs. */
export interface WriteRelabelRule {
  readonly source_labels?: readonly string[]
  readonly regex?: string
  readonly target_label?: string
  readonly replacement?: string
  readonly action?: "keep" | "labeldrop"
}

/** Prometheus keeps no label that begins with two underscores. */
const SHARED = "__tmp_shared"

/**
 * Rules by which a Prometheus writes only what one of the selectors selects. Relabelling knows no "or" and no "not": what is
 * selected is marked, and only what is marked is kept.
 */
export function keepShared(selectors: readonly Selector[]): readonly WriteRelabelRule[] {
  return [
    ...selectors.flatMap(mark),
    { source_labels: [SHARED], regex: "1", action: "keep" },
    { regex: `${SHARED}.*`, action: "labeldrop" },
  ]
}

function mark(selector: Selector, index: number): readonly WriteRelabelRule[] {
  const isPositive = ({ op }: Matcher): boolean => op === "=" || op === "=~"
  const all = selector.filter(isPositive)
  const none = selector.filter((matcher) => !isPositive(matcher))
  const target = none.length === 0 ? SHARED : `${SHARED}_${index}`
  const marking: WriteRelabelRule = {
    ...(all.length > 0 && {
      source_labels: all.map(({ label }) => label),
      regex: all.map(expression).join(";"),
    }),
    target_label: target,
    replacement: "1",
  }
  if (none.length === 0) return [marking]
  return [
    marking,
    ...none.map((matcher) => ({
      source_labels: [target, matcher.label],
      regex: `1;${expression(matcher)}`,
      target_label: target,
      replacement: "",
    })),
    { source_labels: [target], regex: "1", target_label: SHARED, replacement: "1" },
  ]
}

const expression = ({ op, value }: Matcher): string =>
  op === "=" || op === "!=" ? literally(value) : /^[\w.*+]*$/.test(value) ? value : `(?:${value})`

/** What a site that pushes has in its prometheus.yml. */
export function remoteWriteConfig(url: string, selectors: readonly Selector[]): string {
  const document = new Document({
    remote_write: [
      {
        url,
        authorization: { credentials_file: "/etc/prometheus/portal.token" },
        // what is more than the portal accepts at a time is sent later instead of being lost
        queue_config: { retry_on_http_429: true },
        write_relabel_configs: keepShared(selectors),
      },
    ],
  })
  visit(document, {
    Pair: (_, { key, value }) => {
      const name = String(key)
      if (isMap(value) && name !== "remote_write") value.flow = true
      if (isSeq(value) && name === "write_relabel_configs")
        for (const rule of value.items) if (isMap(rule)) rule.flow = true
    },
  })
  return document.toString({ lineWidth: 0, flowCollectionPadding: false, defaultStringType: "PLAIN" })
}
