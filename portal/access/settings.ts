import { Faults } from "#core/config/faults.ts"
import { inGroup, type Parse, setting, settings, text, type Values, Wrong } from "#core/config/settings.ts"
import { UsageError } from "#core/errors.ts"
import { network, type Network } from "./networks.ts"

/** Those that have a meaning of their own, in requests or for the portal. */
const TAKEN =
  /^(?:authorization|cookie|host|origin|referer|connection|upgrade|expect|te|trailer|accept|content|transfer|sec|if|x-forwarded-for)(?:-|$)/

const headerName: Parse<string> = (value) => {
  const name = value.trim().toLowerCase()
  if (!/^[a-z\d][a-z\d-]*$/.test(name)) return new Wrong("must be the name of a header, such as X-Forwarded-User")
  return TAKEN.test(name) ? new Wrong("has a meaning already; take a header that the proxy alone sets") : name
}

export const accessSettings = inGroup("Who may see and change", {
  authHeader: setting(headerName, {
    flag: "--web.auth-header <name>",
    help: "Take the user's name from this header, of requests that --web.auth-proxy sends, and serve no others",
  }),
  authProxy: settings(
    network,
    {
      flag: "--web.auth-proxy <cidr>",
      help: "Trust the header from these addresses alone, such as 10.1.2.3/32; may be repeated",
    },
    [],
  ),
  authGroupsHeader: setting(headerName, {
    flag: "--web.auth-groups-header <name>",
    help: "Take the user's groups, separated by commas, from this header of the same requests",
  }),
  adminGroup: setting(text, {
    flag: "--web.admin-group <group>",
    help: "Let users in this group change sites; without it, only operators with a token",
  }),
  adminTokenFile: setting(text, {
    flag: "--web.admin-token-file <file>",
    help: "Let operators with a token change sites; the file has their names and the hashes of their tokens",
  }),
})

export type AccessSettings = Values<typeof accessSettings>

/** By which header of which addresses users are known. */
export interface HeaderLogin {
  /** In lower case. */
  readonly header: string
  readonly groupsHeader: string | undefined
  readonly proxies: readonly Network[]
  readonly adminGroup: string | undefined
}

/** Undefined where no header is trusted. Throws UsageError with what does not go together. */
export function headerLoginOf(given: AccessSettings): HeaderLogin | undefined {
  const { authHeader, authProxy, authGroupsHeader, adminGroup } = given
  const faults = new Faults()
  if (authHeader !== undefined && authProxy.length === 0)
    faults.add("--web.auth-header", "needs --web.auth-proxy: without it anybody could send the header")
  if (authHeader === undefined && authProxy.length > 0)
    faults.add("--web.auth-proxy", "needs --web.auth-header: what is to be trusted from there")
  if (authHeader === undefined && authGroupsHeader !== undefined)
    faults.add("--web.auth-groups-header", "needs --web.auth-header: whose groups they are")
  if (authHeader !== undefined && authHeader === authGroupsHeader)
    faults.add("--web.auth-groups-header", "must be another header than --web.auth-header")
  if ((adminGroup === undefined) !== (authGroupsHeader === undefined))
    faults.add(
      adminGroup === undefined ? "--web.auth-groups-header" : "--web.admin-group",
      "--web.auth-groups-header and --web.admin-group must be given together",
    )
  faults.orThrow(UsageError)
  if (authHeader === undefined) return undefined
  return { header: authHeader, groupsHeader: authGroupsHeader, proxies: authProxy, adminGroup }
}
