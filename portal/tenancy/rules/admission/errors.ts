import { defineError } from "#core/errors.ts"

export const malformedReview = defineError(
  "MALFORMED_REVIEW",
  400,
  "This is no request that can be checked here: {problem}.",
)
export const tooManyReviews = defineError(
  "TOO_MANY_REVIEWS",
  503,
  "{count} reviews are under way, which is all that are worked on at once.",
)
