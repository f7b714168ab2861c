import { defineError } from "#core/errors.ts"

/** Sent with their status where the response has not begun; later they break the connection. */
export const responseTooLarge = defineError("RESPONSE_TOO_LARGE", 502, "The response is larger than {limit} bytes.")
export const tooManySeries = defineError("TOO_MANY_SERIES", 502, "The response has more than {limit} series.")
export const memoryFull = defineError(
  "MEMORY_FULL",
  503,
  "The responses in flight fill the memory that they may take; retry later, or raise its limit.",
)
