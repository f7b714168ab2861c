import { readFile } from "node:fs/promises"
import type { Shipped } from "../../../site/prometheus/testing.ts"

interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
  readonly datasource: { readonly type: string; readonly uid: string }
}

/** What the tests look at of Grafana's model of a panel. */
export interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly description?: string
  readonly gridPos: { readonly h: number; readonly w: number; readonly x: number; readonly y: number }
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly targets?: readonly Target[]
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string
      /** The first one's colour is also that of no data. */
      readonly thresholds?: { readonly steps: readonly { readonly color: string }[] }
    }
  }
}

export interface Variable {
  readonly name: string
  readonly type: string
  readonly query: string | { readonly query: string }
}

export interface Dashboard {
  readonly uid: string
  readonly title: string
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly Variable[] }
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] }
}

export async function readDashboard(file: string): Promise<Dashboard> {
  return JSON.parse(await readFile(file, "utf8")) as Dashboard
}

/** The queries of all panels and annotations, with every value chosen in the variables. */
export function shippedQueries({ panels, annotations }: Dashboard): readonly Shipped[] {
  const ofPanels = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr, legendFormat }) => ({ where: `panel ${title} ${refId}`, expr, legend: legendFormat })),
  )
  const ofAnnotations = annotations.list.flatMap(({ name, expr }) =>
    expr === undefined ? [] : [{ where: `annotation ${name}`, expr, legend: "" }],
  )
  return [...ofPanels, ...ofAnnotations].map(({ where, expr, legend }) => ({
    where,
    expression: expr
      .replaceAll(/\$__(?:rate_interval|range)/g, "1m")
      .replaceAll(/\$[a-z]\w*/gi, ".*")
      .replaceAll("[1d:1m]", "[1m:1s]"), // a Prometheus of tests is seconds old
    shown: [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label),
  }))
}

/** Titles of numbers at a glance that could be green where there is no data. */
export function greenWithoutData(drawn: readonly Panel[]): readonly string[] {
  const green = drawn.filter(
    ({ type, fieldConfig, targets = [] }) =>
      type === "stat" &&
      (fieldConfig?.defaults.thresholds?.steps[0]?.color !== "red" ||
        targets.some(({ expr }) => /vector\(/.test(expr))),
  )
  return green.map(({ title }) => title)
}
