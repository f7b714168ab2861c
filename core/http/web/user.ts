import type { IncomingMessage } from "node:http"

const users = new WeakMap<IncomingMessage, string>()

/** Notes whose password, of the users of the web configuration, came with a request. */
export const noteUser = (request: IncomingMessage, user: string): void => void users.set(request, user)

/** The user of the web configuration who sent a request with the right password; undefined where there are no users. */
export const userOf = (request: IncomingMessage): string | undefined => users.get(request)
