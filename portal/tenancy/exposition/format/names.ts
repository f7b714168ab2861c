/** How names are written that have other characters than letters, digits, `_` and `:`. */
export type Escaping = "allow-utf-8" | "underscores"

const LEGACY = /^[a-zA-Z_:][\w:]*$/
const LEGACY_LABEL = /^[a-zA-Z_]\w*$/

export const isLegacyName = (name: string): boolean => LEGACY.test(name)
export const isLegacyLabel = (name: string): boolean => LEGACY_LABEL.test(name)

/** As Prometheus escapes names for scrapers that know no others. */
export const legacyName = (name: string): string =>
  name === "" ? "_" : name.replace(/^\d/, "_").replaceAll(/[^\w:]/gu, "_")
export const legacyLabel = (name: string): string => legacyName(name).replaceAll(":", "_")
