export interface PrometheusVersion {
  readonly major: number
  readonly minor: number
}

/** What this one understands, all later ones do. */
export const OLDEST: PrometheusVersion = { major: 2, minor: 42 }

/** Of `2.53`, `v3.5.0` or, as Debian's says, `2.42.0+ds`. */
export function parseVersion(text: string): PrometheusVersion | undefined {
  const [, major, minor] = /^v?(\d{1,3})\.(\d{1,3})(?:\.\d+)?(?:[-+~].*)?$/.exec(text) ?? []
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) }
}

export const showVersion = ({ major, minor }: PrometheusVersion): string => `${major}.${minor}`

/** Of track_timestamps_staleness: since 2.48; older ones refuse the key. */
export const knowsStaleness = ({ major, minor }: PrometheusVersion): boolean =>
  major > 2 || (major === 2 && minor >= 48)

/**
 * Whether a job may use its first token for ever (prometheus/common#981): what is built with common 0.69 or later does. Debian
 * builds 3.5 with it and others do not, so that no version from 3.5 on can be trusted to read a token again.
 */
export const mayKeepFirstToken = ({ major, minor }: PrometheusVersion): boolean =>
  major > 3 || (major === 3 && minor >= 5)
