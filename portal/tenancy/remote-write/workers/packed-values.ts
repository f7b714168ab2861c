import type { TenancyProxyValues } from "../config.ts"

/** Values that can be sent to a thread, which URLs cannot. */
export interface PackedValues {
  readonly texts: string
}

interface PackedUrl {
  readonly $url: string
}

export const packValues = (values: TenancyProxyValues): PackedValues => ({
  texts: JSON.stringify(values, function (this: Record<string, unknown>, key, value: unknown) {
    // JSON has made a text of it already
    return this[key] instanceof URL ? { $url: value } : value
  }),
})

export const unpackValues = ({ texts }: PackedValues): TenancyProxyValues =>
  JSON.parse(texts, (_, value: unknown) => (isUrl(value) ? new URL(value.$url) : value)) as TenancyProxyValues

const isUrl = (value: unknown): value is PackedUrl => typeof value === "object" && value !== null && "$url" in value
