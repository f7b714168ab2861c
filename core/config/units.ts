const SECONDS: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
}
const DURATION = /^(?:\d+(?:\.\d+)?|(?=\d)(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?)$/

/** Seconds of a duration in Prometheus' notation (`30s`, `1m30s`, `500ms`) or of a bare number; undefined if it is neither. */
export function parseDuration(text: string): number | undefined {
  if (!DURATION.test(text)) return undefined
  if (/^[\d.]+$/.test(text)) return Number(text)
  const milliseconds = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce(
    (sum, [, amount, unit]) => sum + Math.round(Number(amount) * (SECONDS[unit ?? ""] ?? 0) * 1000),
    0,
  )
  return milliseconds / 1000
}

const BYTES: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
}

/** Bytes of a size such as `256MiB` or `1000000`; undefined if it is none. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+)\s*(B|[KMG]i?B|)$/.exec(text) ?? []
  const factor = BYTES[unit ?? "?"]
  return factor === undefined ? undefined : Number(amount) * factor
}
