import type { Finding } from "./cause.ts"
import { type CauseId, entryOf } from "./causes/index.ts"
import { presentable, sentence } from "./sentence.ts"

/** What is known of a cause, ready to be shown. Details that are missing are left out of the sentences, and hostile ones are cleaned. */
export function find(id: CauseId, details: Readonly<Record<string, string | undefined>> = {}): Finding {
  const cause = entryOf(id)
  const given = presentable(details)
  const shown = cause.derive === undefined ? given : { ...given, ...presentable(cause.derive(given)) }
  return { cause, details: shown, reason: sentence(cause.sentence, shown), todo: sentence(cause.todo, shown) }
}

/** What the admin of the site does about it; undefined where nothing. */
export const todoAtSite = ({ cause, details }: Finding): string | undefined =>
  cause.todoAtSite === undefined ? undefined : sentence(cause.todoAtSite, details)
