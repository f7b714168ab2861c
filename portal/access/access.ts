import type { IncomingMessage, ServerResponse } from "node:http"
import type { Registry } from "prom-client"
import { authenticate } from "#core/auth/authenticate.ts"
import type { Closable } from "#core/closable.ts"
import type { Context } from "#core/component.ts"
import { reloadOnChange, type Reloading } from "#core/files/reload.ts"
import { userOf } from "#core/http/web/user.ts"
import { throttleFailures } from "#core/limits/failure-throttle.ts"
import { isCrossSite } from "../web/security.ts"
import {
  ambiguousUser,
  foreignPage,
  needsOperator,
  notAdmin,
  notSignedIn,
  readOnlyPortal,
  unknownToken,
} from "./errors.ts"
import { userFromHeader } from "./header-login.ts"
import { NO_OPERATORS, type Operators, readOperators } from "./operators.ts"
import { type AccessSettings, headerLoginOf } from "./settings.ts"

/** Who sends a request. */
export interface Identity {
  /** Empty where nobody has to say who they are. */
  readonly name: string
  readonly by: "header" | "token" | "password" | "nothing"
  readonly admin: boolean
}

export interface Access extends Closable {
  /** Who sends a request to the page, the API, or what is behind the portal. Throws AMBIGUOUS_USER, NOT_SIGNED_IN and UNKNOWN_TOKEN. */
  identify(request: IncomingMessage): Promise<Identity>
  /** Whether `addAccess` knows or refuses its sender without a password, so that the web configuration's users do not matter. */
  readonly isOurs: (request: IncomingMessage) => Promise<boolean>
  /** Who changes something. Throws what identify does, and NEEDS_OPERATOR, NOT_ADMIN, READ_ONLY and CROSS_SITE. */
  authorizeChange(request: IncomingMessage): Promise<Identity>
  /** Whether a failure of this client is one too many: then `refuse` it, without a look at it. */
  failed(request: IncomingMessage): boolean
  refuse(response: ServerResponse): void
  /** Reads the operators' tokens again. */
  reload(): Promise<void>
}

type AccessOptions = Pick<Context, "log" | "env" | "now"> & {
  readonly registry: Registry
  /** A clock that only goes forward, in milliseconds. */
  readonly milliseconds?: () => number
}

const ANYBODY: Identity = { name: "", by: "nothing", admin: false }

/** Throws UsageError and ConfigurationError. */
export async function openAccess(
  settings: AccessSettings,
  { log, env, now, registry, milliseconds = () => performance.now() }: AccessOptions,
): Promise<Access> {
  const login = headerLoginOf(settings)
  const operators = await openOperators(settings.adminTokenFile, { log, env, now, registry })
  const throttle = throttleFailures(milliseconds, log)
  const known = new WeakMap<IncomingMessage, Promise<Identity | undefined>>()

  /** By all but a password, once for each request. */
  function find(request: IncomingMessage): Promise<Identity | undefined> {
    let found = known.get(request)
    if (found === undefined) known.set(request, (found = findNow(request)))
    return found
  }

  async function findNow(request: IncomingMessage): Promise<Identity | undefined> {
    const user = login && userFromHeader(request, login)
    if (user?.kind === "ambiguous") throw ambiguousUser({ header: user.header })
    // a proxy may send its own bearer token along with the user
    const sent = await authenticate(request, operators.current().credentials, now())
    if ("owner" in sent) return { name: sent.owner.name, by: "token", admin: true }
    if (user?.kind !== "user") return undefined
    const admin = login?.adminGroup !== undefined && user.groups.includes(login.adminGroup)
    return { name: user.name, by: "header", admin }
  }

  async function identify(request: IncomingMessage): Promise<Identity> {
    const found = await find(request)
    if (found !== undefined) return found
    if (isOperators(request)) throw unknownToken({})
    const name = userOf(request)
    if (name !== undefined) return { name, by: "password", admin: false }
    if (login !== undefined) throw notSignedIn({})
    return ANYBODY
  }

  const isOperators = ({ headers }: IncomingMessage): boolean =>
    settings.adminTokenFile !== undefined && /^bearer /i.test(headers.authorization ?? "")

  return {
    identify,
    async isOurs(request) {
      const found = await find(request).catch(() => "refused" as const)
      return found !== undefined || isOperators(request)
    },
    async authorizeChange(request) {
      const who = await identify(request)
      if (who.by === "token") return who
      if (settings.adminTokenFile === undefined && login?.adminGroup === undefined) throw readOnlyPortal({})
      if (who.by === "nothing") throw needsOperator({})
      if (!who.admin) throw notAdmin({ user: who.name })
      // browsers send what the proxy knows its user by from everywhere
      if (isCrossSite(request)) throw foreignPage({})
      return who
    },
    failed: (request) => throttle.failed(request.socket.remoteAddress),
    refuse: (response) => throttle.refuse(response),
    reload: () => operators.reload(),
    async close() {
      throttle.close()
      await operators.close()
    },
  }
}

function openOperators(
  file: string | undefined,
  { log, env, now, registry }: AccessOptions,
): Promise<Reloading<Operators>> | Reloading<Operators> {
  if (file === undefined)
    return { current: () => NO_OPERATORS, reload: () => Promise.resolve(), close: () => Promise.resolve() }
  return reloadOnChange<Operators>({
    config: "admin_tokens",
    name: "operators' tokens",
    load: (read) => readOperators(file, { read, env, now: now() }),
    apply({ warnings }) {
      for (const { where, message } of warnings) log.warn({ where }, message)
    },
    summary: ({ credentials }) => ({ tokens: credentials.tokens.length }),
    log,
    registry,
  })
}
