/** What may be filled into the {placeholders} of a sentence: hosts, times, lines, numbers, as people read them. */
export type Details = Readonly<Record<string, string>>

/** One reason why a site does not deliver, or not as it should. */
export interface Cause {
  /** Such as `tls_expired`: in the API, in metrics and in URLs, so it never changes. */
  readonly id: string
  /** A few words for a chip, such as `certificate expired`. */
  readonly title: string
  /**
   * What is wrong, as a whole sentence. `{host|the site}` is a detail with its fallback; `[ on {address}]` is left out where
   * a detail in it is missing. So a reader understands it without any.
   */
  readonly sentence: string
  /** What to do, and who; written like `sentence`. */
  readonly todo: string
  /** What the admin of the site does about it, who reads neither sites.yaml nor the page; undefined where nothing. */
  readonly todoAtSite?: string
  /** Where many sites show it at the same time it is probably the portal, not they: what is wrong then, and what to do. */
  readonly atPortal?: { readonly sentence: string; readonly todo: string }
}

/** What is known of a failure: by Prometheus' words, by a probe, or by both. */
export interface Finding {
  readonly cause: Cause
  readonly details: Details
  /** The sentence with its details. */
  readonly reason: string
  readonly todo: string
}
