export const RULER_TYPES = ["cortex", "mimir"] as const
export type RulerType = (typeof RULER_TYPES)[number]

export interface RulerPaths {
  /** Of all groups of a tenant, of a namespace, of a group. */
  rules(...parts: readonly string[]): string
  /** Of what is not for one tenant, such as `/ruler/rule_groups`. */
  admin(path: string): string
}

/** Paths below that of `url`. `prefix` is Mimir's `-http.prometheus-http-prefix`. */
export function rulerPaths(url: URL, type: RulerType, prefix: string): RulerPaths {
  const base = trimSlashes(url.pathname)
  const rules = type === "mimir" ? `${base}${trimSlashes(prefix)}/config/v1/rules` : `${base}/api/v1/rules`
  return {
    rules: (...parts) => [rules, ...parts.map(encodePart)].join("/"),
    admin: (path) => base + path,
  }
}

const trimSlashes = (path: string): string => path.replace(/\/+$/, "")

/** A ruler decodes it only after it has found the path, so a slash is part of a name; servers resolve dots that stand alone. */
const encodePart = (name: string): string =>
  /^\.{1,2}$/.test(name) ? name.replaceAll(".", "%2E") : encodeURIComponent(name)
