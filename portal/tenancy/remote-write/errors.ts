import { defineError } from "#core/errors.ts"

// What the proxy itself refuses, before anything is sent; message/errors.ts has what is wrong with bodies. None carries a
// cause: its text would travel to the sender.

export const methodNotAllowed = defineError(
  "METHOD_NOT_ALLOWED",
  405,
  "Remote write is received here: POST with {accepted}.",
)
export const unauthenticated = defineError(
  "UNAUTHENTICATED",
  401,
  "A valid token is needed, as the header 'Authorization: Bearer TOKEN'.",
)
export const severalHeaders = defineError(
  "SEVERAL_HEADERS",
  400,
  "The request has several {header} headers: nobody can say which one holds.",
)
export const expectationNotMet = defineError("EXPECTATION_NOT_MET", 417, "No expectation but 100-continue is met here.")
export const bodyTooLarge = defineError(
  "BODY_TOO_LARGE",
  413,
  "The body has more than {most} bytes, the limit {setting}: send less in a request.",
)
export const tooMuchInFlight = defineError(
  "TOO_MUCH_IN_FLIGHT",
  503,
  "Requests in flight{whose} take all {most} bytes of the limit {setting}; resend later.",
)
export const noAllowList = defineError("NO_ALLOW_LIST", 503, "Nothing can be written yet: {reason}")
/** A pause ends, and then what the sender has kept meanwhile is welcome. */
export const senderPaused = defineError("SENDER_PAUSED", 503, "{reason}")
export const closing = defineError("CLOSING", 503, "This proxy is ending; resend to another one, or later.")
