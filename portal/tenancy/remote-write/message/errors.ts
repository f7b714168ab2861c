import { defineError } from "#core/errors.ts"

// What is wrong with a request as a whole: nothing of it is sent.

export const unsupportedMediaType = defineError(
  "UNSUPPORTED_MEDIA_TYPE",
  415,
  "The Content-Type {type} is not accepted. Accepted: {accepted}.",
)
export const unsupportedEncoding = defineError(
  "UNSUPPORTED_ENCODING",
  415,
  "The Content-Encoding {encoding} is not accepted: a body is compressed with snappy, in its block format, and its Content-Type is one of: {accepted}.",
)
export const otherVersion = defineError(
  "OTHER_VERSION",
  400,
  "The body is the message {other}, while its Content-Type announces {announced}. Nothing of it is stored: send the Content-Type {type}.",
)
