import { defineError } from "#core/errors.ts"

export const siteNotFound = defineError("SITE_NOT_FOUND", 404, "No site of that name is listed in sites.yaml.")
export const pathNotFound = defineError("NOT_FOUND", 404, "Nothing here; /api/v1/openapi.json lists what there is.")
export const methodNotAllowed = defineError("METHOD_NOT_ALLOWED", 405, "Only {methods} can be used here.")
export const wrongFilter = defineError("WRONG_FILTER", 400, "{faults}")
export const crossSite = defineError(
  "CROSS_SITE",
  403,
  "This request was sent by a page of another site. Send it from the status page, or without the header Origin.",
)
export const nothingToCheck = defineError(
  "NOTHING_TO_CHECK",
  409,
  "This site pushes: it is not requested, so there is nothing to check.",
)
export const checkedJustNow = defineError(
  "CHECKED_JUST_NOW",
  429,
  "This site was checked a moment ago; it can be checked again in {seconds} s.",
)
export const checksBusy = defineError(
  "CHECKS_BUSY",
  503,
  "Too many sites are being checked at the moment; try again in {seconds} s.",
)
export const notJson = defineError(
  "NOT_JSON",
  415,
  "Send JSON, with the header 'Content-Type: application/json'; an empty object where there is nothing to say.",
)
export const tooLarge = defineError("TOO_LARGE", 413, "The body is larger than any that makes sense here.")
export const wouldBeFaulty = defineError("FAULTY", 422, "{faults}")
