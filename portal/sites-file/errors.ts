import { defineError } from "#core/errors.ts"

export const siteExists = defineError(
  "SITE_EXISTS",
  409,
  "A site called {name} is listed already: change it, or give this one another name.",
)
export const siteMissing = defineError("SITE_NOT_FOUND", 404, "No site called {name} is listed in sites.yaml.")
export const cannotEdit = defineError(
  "CANNOT_EDIT",
  409,
  "{name} cannot be changed here, as {reason}: edit sites.yaml by hand. Nothing was changed.",
)
export const changedMeanwhile = defineError(
  "CHANGED_MEANWHILE",
  409,
  "{file} is being changed by another client all the time, or by a program that ended while it did; try again in a minute. Nothing was changed.",
)
export const otherVersion = defineError(
  "OTHER_VERSION",
  412,
  "{file} is not the version that If-Match names: look at what changed, and send the change again with its ETag. Nothing was changed.",
)
export const notWritable = defineError(
  "SITES_FILE_NOT_WRITTEN",
  500,
  "{file} cannot be changed here: {reason}. Nothing was changed.",
)
