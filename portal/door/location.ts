/**
 * Where a redirect of an upstream leads, as a path of the portal's; undefined where it leads elsewhere. `own`: the addresses
 * under which the upstream knows itself, all with the path `prefix`.
 */
export function locationInside(location: string, base: URL, prefix: string, own: readonly URL[]): string | undefined {
  if (!URL.canParse(location, base.href)) return undefined
  const { origin, pathname, search, hash } = new URL(location, base)
  if (![base, ...own].some((url) => url.origin === origin)) return undefined
  if (pathname !== prefix && !pathname.startsWith(`${prefix}/`)) return undefined
  return `${pathname}${search}${hash}`
}
