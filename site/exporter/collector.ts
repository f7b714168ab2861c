import type { Registry } from "prom-client"
import type { Context } from "#core/component.ts"
import type { Family } from "#core/metrics/exposition.ts"
import type { Body } from "./body.ts"

/**
 * What one run of a collector read. The run succeeded, and its collector is up, if it has families, none of them outdated,
 * and nothing is missing. So whatever was to be read and was not stands in `missing`: each thing by its name, with the
 * reason. Sums over a part of their addends are never among the families.
 */
export interface Collected {
  /**
   * Undefined where there is nothing to serve: what was read last stays until it is too old. A body where the collector
   * keeps its text.
   */
  readonly families: Iterable<Family> | Body | undefined
  /** What could not be read, and why. The families are complete for everything else. */
  readonly missing?: ReadonlyMap<string, string>
  /** Nothing was read now: the families are what is left of earlier runs, and as old as they were. */
  readonly outdated?: boolean
}

/** Something that reads metrics from somewhere. It knows nothing of HTTP or its own failures. */
export interface Collector {
  collect(signal: AbortSignal): Collected | Promise<Collected>
  /** Seconds from the start of one run to the start of the next. Without it every scrape is a run. */
  readonly every?: number | undefined
  /** Seconds that a scrape waits for a run; without it a second less than Prometheus waits by default. */
  readonly patience?: number | undefined
  /** Seconds for which the last result is served while later runs fail. */
  readonly maxAge?: number | undefined
  /** Why nothing can be served though runs succeed, in a sentence. */
  notReady?(): string | undefined
  /** Reads its own files again, as on SIGHUP; a run follows. It never throws. */
  reload?(): Promise<void>
  /** Called when no run is under way. */
  close?(): Promise<void>
}

export interface ExporterContext extends Context {
  /** For metrics of the exporter itself. */
  readonly registry: Registry
}

/** Throws UsageError and ConfigurationError for what cannot work from the beginning. */
export type Open = (context: ExporterContext) => Collector | Promise<Collector>
