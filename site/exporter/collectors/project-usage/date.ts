import { type Parse, Wrong } from "#core/config/settings.ts"

const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:\d{2})?)?$/i

/** An ISO 8601 date or date and time; UTC where it has no offset. */
export const date: Parse<Date> = (text) => {
  const [, day, time = "00:00", offset = "Z"] = DATE.exec(text.trim()) ?? []
  const moment = new Date(`${day}T${time}${offset.toUpperCase()}`)
  // JavaScript takes the 30th of February for the 2nd of March
  const existing =
    day !== undefined && !Number.isNaN(moment.getTime()) && new Date(`${day}T00:00Z`).toJSON().startsWith(day)
  return existing ? moment : new Wrong("must be a date such as 2025-01-31 or 2025-01-31T08:00:00 (UTC)")
}
