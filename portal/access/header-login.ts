import type { IncomingMessage } from "node:http"
import type { HeaderLogin } from "./settings.ts"

export type FromHeader =
  | { readonly kind: "user"; readonly name: string; readonly groups: readonly string[] }
  | { readonly kind: "none" }
  /** One of the headers is there twice, in whatever spelling, or holds no name: nobody can know whose it is. */
  | { readonly kind: "ambiguous"; readonly header: string }

const NONE: FromHeader = { kind: "none" }
const LONGEST = 256

type Request = Pick<IncomingMessage, "rawHeaders" | "headers" | "headersDistinct" | "socket">

/**
 * The user that a trusted proxy names. Proxies remove a header that a client sends and forget its other spellings, which
 * many servers take for the same (CVE-2025-64484 of oauth2-proxy): they count as a second one, and alone as none. What was
 * not believed is removed from the request, so that nothing behind this believes it.
 */
export function userFromHeader(request: Request, login: HeaderLogin): FromHeader {
  const { header, groupsHeader, proxies, adminGroup } = login
  const users = takeAll(request, header)
  const groups = groupsHeader === undefined ? [] : takeAll(request, groupsHeader)
  if (users.length > 1) return { kind: "ambiguous", header }
  if (groups.length > 1) return { kind: "ambiguous", header: groupsHeader ?? header }
  const address = request.socket.remoteAddress
  if (address === undefined || !proxies.some((proxy) => proxy.contains(address))) return NONE
  const [user, group] = [users[0], groups[0]]
  if (user?.spelling !== header) return NONE
  const name = readable(user.value)
  if (name === undefined) return { kind: "ambiguous", header }
  const listed = group?.spelling === groupsHeader && adminGroup !== undefined ? readable(group?.value ?? "") : undefined
  return { kind: "user", name, groups: (listed ?? "").split(",").map((one) => one.trim()) }
}

interface Found {
  /** In lower case. */
  readonly spelling: string
  readonly value: string
}

const alike = (name: string): string => name.toLowerCase().replaceAll("_", "-")

/** All spellings of a header, which are removed from the request. */
function takeAll({ rawHeaders, headers, headersDistinct }: Request, name: string): readonly Found[] {
  const found: Found[] = []
  for (let index = 0; index < rawHeaders.length;) {
    const key = rawHeaders[index] ?? ""
    if (alike(key) !== name) {
      index += 2
      continue
    }
    found.push({ spelling: key.toLowerCase(), value: rawHeaders[index + 1] ?? "" })
    rawHeaders.splice(index, 2)
  }
  for (const bag of [headers, headersDistinct])
    for (const key of Object.keys(bag)) if (alike(key) === name) delete bag[key]
  return found
}

/** Node shows the bytes of a header as Latin-1. */
function readable(value: string): string | undefined {
  const bytes = Buffer.from(value, "latin1")
  const text = bytes.toString("utf8").trim()
  return text === "" || text.length > LONGEST || text.includes("\uFFFD") || /\p{C}/u.test(text) ? undefined : text
}
