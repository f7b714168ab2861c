import type { Details } from "../cause.ts"
import { span } from "../words.ts"

/** How far a site's clock is off. `skew` is in seconds, negative where the site is behind. */
export function skewOf({ skew = "" }: Details): Details {
  const seconds = Number.parseFloat(skew)
  if (!Number.isFinite(seconds) || Math.abs(seconds) < 1) return {}
  return { off: `${span(Math.abs(seconds))} ${seconds < 0 ? "behind" : "ahead"}` }
}
