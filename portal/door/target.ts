/** Of a request's path below the prefix of an upstream, decoded once. Each begins with a slash. */
export interface Target {
  readonly path: string
  /** Without the question mark, as it came. */
  readonly query: string
}

/** What a path that is decoded once may hold: no second encoding, no parameters, no backslash, no control characters. */
const REFUSED = /[%;\\\p{Cc}]/u

/**
 * The target of a request below `prefix`, such as /prometheus; undefined where it is none, or where some server would
 * read it in another way: encoded twice, with `.` or `..`, doubled slashes or a backslash.
 */
export function parseTarget(url: string, prefix: string): Target | undefined {
  const mark = url.indexOf("?")
  const decoded = decode(mark < 0 ? url : url.slice(0, mark))
  if (decoded === undefined || REFUSED.test(decoded)) return undefined
  if (decoded !== prefix && !decoded.startsWith(`${prefix}/`)) return undefined
  const segments = decoded.split("/").slice(1)
  if (segments.some((segment, index) => isDots(segment) || (segment === "" && index < segments.length - 1)))
    return undefined
  return { path: decoded.slice(prefix.length), query: mark < 0 ? "" : url.slice(mark + 1) }
}

const isDots = (segment: string): boolean => segment === "." || segment === ".."

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}
