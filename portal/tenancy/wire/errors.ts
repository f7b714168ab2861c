import { defineError } from "#core/errors.ts"

// What is wrong with a body as a whole: nothing of it is used.

export const malformedSnappy = defineError(
  "MALFORMED_SNAPPY",
  400,
  "The body is not a snappy block: {problem}. Nothing of it is stored.",
)
export const messageTooLarge = defineError(
  "MESSAGE_TOO_LARGE",
  400,
  "The body has {bytes} bytes uncompressed; at most {most} are accepted. Nothing of it is stored: send less in a request.",
)
export const malformedMessage = defineError(
  "MALFORMED_MESSAGE",
  400,
  "The body is no valid {message}: {problem} at byte {at}. Nothing of it is stored.",
)
