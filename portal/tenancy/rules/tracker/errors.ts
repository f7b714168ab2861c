import { defineError } from "#core/errors.ts"

export const importsFull = defineError(
  "IMPORTS_FULL",
  500,
  "The ConfigMap {name} of imported groups is full, so no more are imported: remove lines of groups that no ruler has",
)
export const importsUnreadable = defineError(
  "IMPORTS_UNREADABLE",
  500,
  'The ConfigMap {name} of imported groups has a line below {namespace} that is no ["group","tenant"]: {line}. Nothing is imported until it is mended',
)
