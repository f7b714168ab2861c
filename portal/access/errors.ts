import { defineError } from "#core/errors.ts"

export const ambiguousUser = defineError(
  "AMBIGUOUS_USER",
  400,
  "The header {header} is there more than once, in some spelling, or holds no name: who sent this request cannot be known.",
)
export const notSignedIn = defineError(
  "NOT_SIGNED_IN",
  401,
  "Sign in first: open this page at the address that your operator gave you, not at the portal's own.",
)
export const unknownToken = defineError(
  "UNKNOWN_TOKEN",
  401,
  "This token is not one of an operator, or is not valid now: see --web.admin-token-file.",
)
export const needsOperator = defineError(
  "NEEDS_OPERATOR",
  401,
  "Changes need an operator's token, as the header 'Authorization: Bearer TOKEN'.",
)
export const notAdmin = defineError(
  "NOT_ADMIN",
  403,
  "{user} may see sites, and not change them: that needs an operator's token, or the group of --web.admin-group.",
)
export const readOnlyPortal = defineError(
  "READ_ONLY",
  403,
  "This portal takes no changes: it was started without --web.admin-token-file and --web.admin-group.",
)
export const foreignPage = defineError(
  "CROSS_SITE",
  403,
  "This request was sent by a page of another site. Send it from the status page, or without the header Origin.",
)
