import { between, duration, size } from "#core/config/settings.ts"

/** Seconds for a whole response. */
export const upstreamTimeout = between(duration(0, Infinity), 0.1, 3600, "from 100ms to 1h")

/** Bytes of a request's target and headers; a JWT alone may have 8 KiB, and Prometheus accepts 1 MiB. */
export const requestBytes = between(size, 16_384, 1_048_576, "from 16KiB to 1MiB")
export const MOST_SELECTORS = 10_000
/** Beyond it, no expression is compared. */
export const MOST_CHARACTERS = 65_536
